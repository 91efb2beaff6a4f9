/**
 * Which response cache the configuration means.
 *
 * @module
 */
import type { CacheOptions } from "../cache/options.ts";
import type { StoreOptions } from "../cache/open_store.ts";
import { ConfigurationError } from "../errors.ts";
import type { Config } from "./load.ts";

/** The cache settings of a configuration, which can only name built-in stores. */
export type CacheSettings = CacheOptions & StoreOptions;

/** What a command says of the cache. */
export interface CacheFlags {
  /** Whether to use it; by default as the configuration says. */
  cache?: boolean;
  /** Seconds that an answer is good for. */
  cacheTtl?: number;
}

/** The settings of the cache, whether it is used or not. */
export function cacheSettings({ value }: Config, flags: CacheFlags = {}): CacheSettings {
  const settings = typeof value.cache === "object" && value.cache !== null ? value.cache : {};
  return { ...settings, ttl: flags.cacheTtl ?? settings.ttl };
}

/** The cache of `ask` and `chat`: `false` unless the file has one. */
export function resolveCache(config: Config): false | CacheSettings {
  const { cache } = config.value;
  return cache === true || (typeof cache === "object" && cache !== null)
    ? cacheSettings(config)
    : false;
}

/**
 * The cache of a batch: flags before the section `batch`, and that before the rest of the file.
 *
 * @throws {ConfigurationError} when it is not used but a flag says how
 */
export function resolveBatchCache(config: Config, flags: CacheFlags): false | CacheSettings {
  const batch = config.value.batch ?? {};
  const wanted = flags.cache ?? batch.cache ?? (resolveCache(config) !== false);
  if (!wanted) {
    if (flags.cacheTtl === undefined) return false;
    throw new ConfigurationError("--cache-ttl means nothing without a cache", {
      hint: "Add --cache, or leave it out.",
    });
  }
  return cacheSettings(config, { cacheTtl: flags.cacheTtl ?? batch.cache_ttl ?? undefined });
}
