/**
 * Warns about models and teams of a virtual key that the configuration does not have.
 *
 * @module
 */
import type { Config } from "../../../lib/config/load.ts";
import { selectableModels } from "../../../lib/config/models.ts";
import { matchesRoute } from "../../../lib/gateway/access/key_settings.ts";
import { similarName } from "../../../lib/similar_name.ts";

function guess(name: string, known: readonly string[]): string {
  const similar = similarName(name, known);
  return similar === undefined ? "" : `; did you mean ${similar}?`;
}

/** Warnings about names that match nothing. They may be added to the configuration later. */
export function unknownNames(
  { value }: Pick<Config, "value">,
  { models = [], team }: { models?: readonly string[]; team?: string },
): string[] {
  const routes = [...Object.keys(value.serve?.routes ?? {}), ...selectableModels(value)];
  const teams = Object.keys(value.serve?.teams ?? {});
  return [
    ...models.filter((pattern) => !routes.some((route) => matchesRoute([pattern], route)))
      .map((pattern) =>
        `no configured model or route matches "${pattern}"${guess(pattern, routes)}`
      ),
    ...team === undefined || teams.includes(team)
      ? []
      : [`serve.teams has no limits for the team "${team}"${guess(team, teams)}`],
  ];
}
