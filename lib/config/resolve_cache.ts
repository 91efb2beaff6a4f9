/**
 * Resolves the response cache that a command uses from its flags and the configuration.
 *
 * @module
 */
import type { CacheOptions } from "../cache/options.ts";
import type { StoreOptions } from "../cache/open_store.ts";
import { ConfigurationError } from "../errors.ts";
import type { Environment } from "../files/paths.ts";
import type { RedisSettings } from "../redis/redis_settings.ts";
import type { Config } from "./load.ts";
import { cacheServers } from "./redis_urls.ts";
import { expandServerUrl } from "./resolve_redis.ts";

/** The cache settings of a configuration, which can only name built-in stores. */
export type CacheSettings = CacheOptions & StoreOptions;

/** The cache flags of a command. */
export interface CacheFlags {
  /**
   * Whether to use the cache.
   *
   * @default the configured value
   */
  cache?: boolean;
  /** Lifetime of cached responses in seconds; 0 means no expiry. */
  cacheTtl?: number;
}

/** The cache settings, whether or not the cache is used. */
export function cacheSettings({ value }: Config, flags: CacheFlags = {}): CacheSettings {
  const settings = typeof value.cache === "object" && value.cache !== null ? value.cache : {};
  return { ...settings, ttl: flags.cacheTtl ?? settings.ttl };
}

/** The cache of `ask` and `chat`: `false` unless the flag or the file enables one. */
export function resolveCache(
  config: Config,
  flags: Pick<CacheFlags, "cache"> = {},
): false | CacheSettings {
  const { cache } = config.value;
  const isOn = flags.cache ?? (cache === true || (typeof cache === "object" && cache !== null));
  return isOn ? cacheSettings(config) : false;
}

/**
 * The cache of a batch. Flags take precedence over the `batch` section, which takes precedence over
 * `cache`.
 *
 * @throws {ConfigurationError} if `--cache-ttl` is given but the cache is off
 */
export function resolveBatchCache(config: Config, flags: CacheFlags): false | CacheSettings {
  const batch = config.value.batch ?? {};
  const isOn = flags.cache ?? batch.cache ?? (resolveCache(config) !== false);
  if (!isOn) {
    if (flags.cacheTtl === undefined) return false;
    throw new ConfigurationError("--cache-ttl requires the cache, which is off", {
      hint: "Add --cache, or remove --cache-ttl.",
    });
  }
  return cacheSettings(config, { cacheTtl: flags.cacheTtl ?? batch.cache_ttl ?? undefined });
}

/**
 * The settings of a cache for opening it: with the Redis server that processes share, which is the default, and
 * with the references in a URL expanded.
 *
 * @throws {ConfigurationError} if a URL refers to a variable that is not set
 */
export function reachableCache(
  config: Config,
  cache: CacheSettings,
  env: Environment,
  redis: RedisSettings | undefined,
): CacheSettings {
  const server = cacheServers(config.value).find(({ url }) => url === cache.path);
  const path = server === undefined ? cache.path : expandServerUrl(server, config, env);
  return { ...cache, path, redis: redis?.address };
}
