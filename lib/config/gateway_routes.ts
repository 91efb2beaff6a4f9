/**
 * Resolves the routes of the `serve` section: which endpoints their targets mean.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { GatewayRoute } from "../gateway/gateway_options.ts";
import { keyNameOf } from "../keys/key_names.ts";
import { normalizeBaseUrl } from "../services/base_url.ts";
import { baseUrlOf } from "../services/providers.ts";
import { serviceOfUrl } from "../services/services.ts";
import { similarName } from "../similar_name.ts";
import type { Config } from "./load.ts";
import { findModel, nameOf, selectableModels } from "./models.ts";
import type { ModelEntry, ServeSection } from "./schema.ts";

/** A configured route. */
export type RouteEntry = NonNullable<ServeSection["routes"]>[string];

/** The targets of a route as they are written, each with its path in the entry. */
export function targetsOf(entry: RouteEntry): [target: string, path: (string | number)[]][] {
  if (typeof entry === "string") return [[entry, []]];
  const [list, path] = Array.isArray(entry) ? [entry, []] : [entry.targets, ["targets"]];
  return list.map((target, i) => [target, [...path, i]]);
}

/** The names by which `MODEL@ENDPOINT` can refer to the server of an entry, besides the entry's own. */
function serverNames({ provider = "auto", base_url }: ModelEntry): string[] {
  const names: string[] = provider === "auto" ? [] : [provider];
  const server = base_url ?? baseUrlOf(provider);
  const url = server === undefined || server.includes("${") ? null : URL.parse(server);
  if (url === null) return names;
  const base = normalizeBaseUrl(server!);
  // The provider "claude" is the service "anthropic" for its keys.
  const services = [serviceOfUrl(base), keyNameOf(base)].filter((name) => name !== undefined);
  return [...new Set([...names, ...services, url.host, url.hostname])];
}

/** The part of a configuration that routes need. */
type RouteConfig = Pick<Config, "value" | "locate">;

/** An endpoint of the pool, and the model there if it is not its own. */
export interface ResolvedTarget {
  /** The name of a configured model, or `mock`. */
  endpoint: string;
  /** The model, if it is another one at the endpoint's server. */
  model?: string;
}

/**
 * Finds the endpoint that a target means: the name or id of a model, else `MODEL@ENDPOINT`.
 *
 * @param place where it is written, as `file:line:column: field`
 * @throws {ConfigurationError} if there is none; suggests a similar one
 */
export function resolveTarget(config: RouteConfig, target: string, place: string): ResolvedTarget {
  const found = findModel(config.value, target);
  if (found !== undefined) return { endpoint: nameOf(found[0]) };
  if (target === "mock") return { endpoint: "mock" };
  // The ids of some services contain an @ themselves.
  const at = target.lastIndexOf("@");
  const names = selectableModels(config.value);
  if (at <= 0 || at === target.length - 1) {
    const guess = similarName(target, names);
    throw new ConfigurationError(`${place}: no model "${target}" in models`, {
      hint: guess === undefined
        ? `Configured models: ${names.join(", ")}.`
        : `Did you mean ${guess}?`,
    });
  }
  const model = target.slice(0, at);
  const server = target.slice(at + 1);
  const entries = config.value.models ?? [];
  const named = entries.filter((entry) => nameOf(entry) === server);
  const there = named.length > 0
    ? named
    : entries.filter((entry) => serverNames(entry).includes(server));
  const entry = there.find(({ id }) => id === model) ?? there[0];
  if (entry !== undefined) {
    return entry.id === model ? { endpoint: nameOf(entry) } : { endpoint: nameOf(entry), model };
  }
  if (server === "mock") return { endpoint: "mock", model };
  const known = [...new Set([...names, ...entries.flatMap(serverNames)])];
  const guess = similarName(server, known);
  throw new ConfigurationError(`${place}: no model or server "${server}" in models`, {
    hint: guess === undefined
      ? `After the @ can be one of ${known.join(", ")}.`
      : `Did you mean ${model}@${guess}?`,
  });
}

/** A route with its resolved targets. */
export interface ResolvedRoute extends GatewayRoute {
  name: string;
  /** The endpoints of its targets. */
  endpoints: string[];
}

/**
 * Resolves all routes of the `serve` section.
 *
 * @throws {ConfigurationError} with the position of a target that is not configured
 */
export function resolveRoutes(config: RouteConfig): ResolvedRoute[] {
  const routes = Object.entries(config.value.serve?.routes ?? {});
  return routes.map(([name, entry]) => resolveRoute(config, name, entry));
}

/**
 * Resolves one route.
 *
 * @throws {ConfigurationError} with the position of a target that is not configured
 */
export function resolveRoute(config: RouteConfig, name: string, entry: RouteEntry): ResolvedRoute {
  const targets = targetsOf(entry).map(([target, path]) => {
    const place = config.locate(["serve", "routes", name, ...path]);
    return resolveTarget(config, target, `${place}: serve.routes.${name}`);
  });
  const fields = typeof entry === "string" || Array.isArray(entry) ? undefined : entry;
  return {
    name,
    endpoints: targets.map(({ endpoint }) => endpoint),
    targets: targets.map(({ endpoint, model }) =>
      model === undefined ? endpoint : `${model}@${endpoint}`
    ),
    ...fields?.load_balance ? { loadBalance: fields.load_balance } : {},
    ...typeof fields?.sticky === "boolean" ? { sticky: fields.sticky } : {},
  };
}
