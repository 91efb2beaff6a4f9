/**
 * Resolves flags, environment and the `serve` section to the options of a gateway.
 *
 * @module
 */
import { dirname, join, resolve } from "node:path";
import type { PoolOptions } from "../client/client_options.ts";
import { ConfigurationError } from "../errors.ts";
import { type Environment, homeFolder } from "../files/paths.ts";
import type { GatewayOptions } from "../gateway/gateway_options.ts";
import type { KeyLimits } from "../gateway/key_limits.ts";
import type { PriceRow } from "../pricing/price.ts";
import { expandField } from "./expand_entry.ts";
import {
  type GatewayEndpoint,
  gatewayEndpoints,
  type GatewayModelFlags,
} from "./gateway_endpoints.ts";
import { type ResolvedRoute, resolveRoutes } from "./gateway_routes.ts";
import type { Config } from "./load.ts";
import { type CacheSettings, resolveCache } from "./resolve_cache.ts";
import { type RedisFlags, resolveRedis } from "./resolve_redis.ts";
import type { RedisSettings } from "../redis/redis_settings.ts";
import type { ServeSection } from "./schema.ts";

/** The defaults of a gateway. Times are in seconds. */
export const GATEWAY_DEFAULTS = {
  host: "127.0.0.1",
  port: 8080,
  timeout: 600,
  maxWait: 60,
  drain: 600,
  /** Maximum requests in flight to each model. */
  concurrency: 256,
} as const;

/** The flags of a gateway. */
export interface GatewayFlags extends GatewayModelFlags, RedisFlags {
  host?: string;
  port?: number;
  database?: string;
  /** `true` for a cache per key. */
  cache?: boolean | "shared";
  timeout?: number;
  maxWait?: number;
  drain?: number;
  concurrency?: number;
  allowUnpriced?: boolean;
}

/** Whose limits apply besides those of a key. */
export interface AccessSettings {
  /** The file of the ledger. */
  database: string;
  /** Whether the user has named that file. */
  isDatabaseNamed: boolean;
  /** The limits of teams. */
  teams: Record<string, KeyLimits>;
  /** The limits of the whole gateway. */
  limits: KeyLimits;
  allowUnpriced: boolean;
}

/** The settings of a gateway. */
export interface GatewaySettings {
  host: string;
  port: number;
  /** Seconds that requests in flight may take to finish when the gateway stops. */
  drain: number;
  endpoints: readonly GatewayEndpoint[];
  routes: readonly ResolvedRoute[];
  cache: false | CacheSettings;
  /** The options of the pool, except its cache. */
  pool: PoolOptions;
  options: GatewayOptions;
  access: AccessSettings;
  /** What gateways share; `undefined` if nothing. */
  redis: RedisSettings | undefined;
  /** What the user should know, one sentence each. */
  warnings: string[];
}

type Limits = NonNullable<ServeSection["limits"]>;

function withoutNulls<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]?: NonNullable<T[K]> };
}

function keyLimits({ budget, ...rest }: Limits): KeyLimits {
  return { ...withoutNulls(rest), ...budget ? { budget: withoutNulls(budget) } : {} };
}

/** The file with the virtual keys. A path in the configuration is relative to that file. */
export function gatewayDatabase(
  config: Config,
  env: Environment,
  flags: Pick<GatewayFlags, "database"> = {},
): string {
  if (flags.database !== undefined) return resolve(flags.database);
  const configured = config.value.serve?.database;
  if (!configured) return join(homeFolder(env), "gateway.db");
  return resolve(dirname(config.file!), configured);
}

/**
 * The key that protects the page, the status and the metrics: `FLEXLLM_ADMIN_KEY`, otherwise the configured one.
 *
 * @throws {ConfigurationError} if it refers to a variable that is not set or a key that is not stored
 */
export function gatewayAdminKey(config: Config, env: Environment): string | undefined {
  if (env.FLEXLLM_ADMIN_KEY) return env.FLEXLLM_ADMIN_KEY;
  const context = { path: ["serve"], config, env };
  return expandField(config.value.serve?.admin_key ?? undefined, ["admin_key"], context) ||
    undefined;
}

/** The cache of the gateway, and whether all keys share their answers. */
function gatewayCache(
  config: Config,
  flags: GatewayFlags,
): { cache: false | CacheSettings; isShared: boolean } {
  const section = config.value.serve?.cache;
  const isObject = typeof section === "object" && section !== null;
  const { shared = false, ...own } = isObject ? section : {};
  const isShared = (flags.cache ?? section) === "shared" || (flags.cache !== true && shared);
  const chosen = flags.cache ?? (isObject ? true : section ?? undefined);
  const isOn = chosen === undefined ? undefined : chosen !== false;
  const common = resolveCache(config, { cache: isOn });
  return { cache: common === false ? false : { ...common, ...own }, isShared };
}

/** The names of all models that the flags select, directly or by a route; `undefined` for all. */
function selection(routes: readonly ResolvedRoute[], { model }: GatewayModelFlags) {
  if (model === undefined) return { names: undefined, selected: [] };
  const selected = routes.filter(({ name }) => model.includes(name));
  const direct = model.filter((name) => !selected.some((route) => route.name === name));
  return { names: [...direct, ...selected.flatMap(({ endpoints }) => endpoints)], selected };
}

/** Removes the targets that cannot be used; reports routes that have none left. */
function usableRoutes(
  config: Config,
  routes: readonly ResolvedRoute[],
  unusable: ReadonlyMap<string, ConfigurationError>,
): ResolvedRoute[] {
  return routes.map((route) => {
    const kept = route.endpoints.flatMap((name, i) => unusable.has(name) ? [] : [i]);
    if (kept.length === 0) {
      const { message, hint } = unusable.get(route.endpoints[0])!;
      const place = config.locate(["serve", "routes", route.name]);
      throw new ConfigurationError(
        `${place}: serve.routes.${route.name} has no model that can be used\n${message}`,
        { hint },
      );
    }
    return {
      ...route,
      targets: kept.map((i) => route.targets[i]),
      endpoints: kept.map((i) => route.endpoints[i]),
    };
  });
}

function leftOut([name, { message, hint }]: [string, ConfigurationError]): string {
  return `the model ${name} is left out: ${message}.${hint === undefined ? "" : ` ${hint}`}`;
}

/**
 * Resolves the settings of a gateway.
 *
 * @param prices the user's prices
 * @throws {ConfigurationError} with its position if a setting of the file cannot be used
 */
export function resolveGateway(
  config: Config,
  env: Environment,
  flags: GatewayFlags,
  prices: readonly PriceRow[] = [],
): GatewaySettings {
  const section = config.value.serve ?? {};
  const allRoutes = flags.baseUrl === undefined ? resolveRoutes(config) : [];
  const { names, selected } = selection(allRoutes, flags);
  const { endpoints: usable, unusable } = gatewayEndpoints(config, env, names, flags);
  const concurrencyLimit = flags.concurrency ?? section.concurrency ??
    GATEWAY_DEFAULTS.concurrency;
  const routes = usableRoutes(config, names === undefined ? allRoutes : selected, unusable);
  const usesMock = routes.some((route) => route.endpoints.includes("mock"));
  const mock: GatewayEndpoint = {
    name: "mock",
    model: "mock",
    provider: "mock",
    keySource: undefined,
  };
  const needsMock = usesMock && !usable.some(({ name }) => name === "mock");
  const endpoints = needsMock ? [...usable, mock] : usable;
  const { cache, isShared } = gatewayCache(config, flags);
  return {
    host: flags.host ?? section.host ?? GATEWAY_DEFAULTS.host,
    port: flags.port ?? section.port ?? GATEWAY_DEFAULTS.port,
    drain: flags.drain ?? section.drain ?? GATEWAY_DEFAULTS.drain,
    endpoints,
    routes,
    cache,
    pool: {
      endpoints: endpoints.map(({ keySource: _, ...endpoint }) => ({
        ...endpoint,
        concurrencyLimit,
        // People wait for these requests: the limit is learned downwards.
        initialConcurrency: concurrencyLimit,
        prices: [...endpoint.prices ?? [], ...prices],
      })),
      loadBalance: "fallback",
      adaptive: true,
      timeout: flags.timeout ?? section.timeout ?? GATEWAY_DEFAULTS.timeout,
      maxWait: flags.maxWait ?? section.max_wait ?? GATEWAY_DEFAULTS.maxWait,
    },
    options: {
      routes: Object.fromEntries(
        routes.map(({ name, endpoints: _, ...route }) => [name, route]),
      ),
      adminKey: gatewayAdminKey(config, env),
      cacheScope: isShared ? "shared" : "key",
      ...withoutNulls({
        maxBodyBytes: section.max_body,
        maxQueue: section.max_queue,
        keepAlive: section.keep_alive,
        corsOrigins: section.cors,
      }),
    },
    access: {
      database: gatewayDatabase(config, env, flags),
      isDatabaseNamed: flags.database !== undefined || Boolean(section.database),
      teams: Object.fromEntries(
        Object.entries(section.teams ?? {}).map(([name, limits]) => [name, keyLimits(limits)]),
      ),
      limits: keyLimits(section.limits ?? {}),
      allowUnpriced: flags.allowUnpriced ?? section.allow_unpriced ?? false,
    },
    redis: resolveRedis(config, env, flags),
    warnings: [...unusable].map(leftOut),
  };
}
