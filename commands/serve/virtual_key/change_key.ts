/**
 * Changes, disables, enables and deletes virtual keys.
 *
 * @module
 */
import { ConfigurationError } from "../../../lib/errors.ts";
import { writeOutput } from "../../terminal/output.ts";
import { writeWarning } from "../../terminal/sentences.ts";
import { describeLimits } from "./describe_key.ts";
import { changesOf, type KeyCommandFlags } from "./key_flags.ts";
import { unknownNames } from "./known_names.ts";
import { withKeys } from "./open_keys.ts";

const DONE = { disable: "Disabled", enable: "Enabled", delete: "Deleted" } as const;

/**
 * Disables, enables or deletes a key.
 *
 * @throws {ConfigurationError} if there is no such key
 */
export async function changeKey(
  action: keyof typeof DONE,
  name: string,
  flags: KeyCommandFlags,
): Promise<void> {
  await withKeys(flags, async (store) => {
    const key = await store[action](name);
    writeOutput(`${DONE[action]} the key ${key.name}\n`);
    if (action !== "enable") return;
    const { expiresAt } = key;
    if (expiresAt !== undefined && expiresAt <= Date.now()) {
      writeWarning(
        `the key expired on ${new Date(expiresAt).toISOString().slice(0, 10)}; to extend it: ` +
          `flexllm serve virtual-key update ${key.name} --expires 30d`,
      );
    }
  });
}

/**
 * Changes the name and the limits of a key.
 *
 * @throws {ConfigurationError} if there is no such key, or nothing to change
 */
export async function updateKey(name: string, flags: KeyCommandFlags): Promise<void> {
  await withKeys(flags, async (store, config) => {
    const current = store.list().find((key) => key.name === name);
    const changes = changesOf(flags, current?.budget);
    if (Object.keys(changes).length === 0) {
      throw new ConfigurationError("nothing to change", {
        hint: "Name a limit, for example: flexllm serve virtual-key update NAME --budget-month 50",
      });
    }
    const { models, team } = changes;
    const named = { models: models ?? undefined, team: team ?? undefined };
    for (const warning of unknownNames(config, named)) writeWarning(warning);
    const key = await store.update(name, changes);
    writeOutput(`Updated the key ${key.name}: ${describeLimits(key) || "without limits"}\n`);
  });
}
