/**
 * Selects and opens the store of the response cache.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { type Environment, homeFolder } from "../files/paths.ts";
import { ConfigurationError } from "../errors.ts";
import { openKv } from "../runtime/deno_kv.ts";
import { safeUrl } from "../redact.ts";
import { DEFAULT_PREFIX, parseRedisAddress, type RedisAddress } from "../redis/redis_address.ts";
import { surviveFileSizeLimit } from "../runtime/runtime.ts";
import type { BatchedStore } from "./batching_store.ts";
import { MemoryStore } from "./stores/memory.ts";
import type { RedisLinkOptions } from "./stores/redis_link.ts";
import { type CacheStore, DEFAULT_TTL, type ManagedStore, type StoreKind } from "./store.ts";
import { storeError } from "./store_error.ts";
import { isKvServer, isRedisServer } from "./store_file.ts";

/** The name of a built-in store. `auto` is Redis if a server is named, else Deno KV on Deno, else SQLite. */
export type StoreName = "auto" | "kv" | "sqlite" | "memory" | "redis";

/** All names of stores. */
export const STORE_NAMES: readonly StoreName[] = ["auto", "kv", "sqlite", "memory", "redis"];

/** Selects a built-in store. */
export interface StoreOptions {
  /**
   * The store.
   *
   * @default "auto"
   */
  store?: StoreName;
  /**
   * The file, or the URL of a server: Redis, or KV Connect.
   *
   * @default a file in the user's folder, or `redis`
   */
  path?: string;
  /** The Redis server that processes share. */
  redis?: RedisAddress;
  /**
   * Seconds until an entry expires, for stores that remove expired entries by themselves; 0 for never.
   *
   * @default a day
   */
  ttl?: number;
}

/** The kind and location of a built-in store. */
export interface StoreLocation {
  kind: StoreKind;
  /** The file or URL, without a password; `undefined` for memory. */
  location: string | undefined;
  /** The server of a store in Redis. */
  redis?: RedisAddress;
}

/** Each kind has its own file, since neither can read the other's. */
const FILE_NAMES = { kv: "responses.kv", sqlite: "responses.sqlite" };

/** The server of a store in Redis. */
function redisAddress({ path, redis }: StoreOptions): RedisAddress {
  if (path === undefined && redis !== undefined) return redis;
  if (path !== undefined && isRedisServer(path)) {
    return parseRedisAddress(path, "cache path", redis?.prefix ?? DEFAULT_PREFIX);
  }
  throw new ConfigurationError(
    path === undefined
      ? "the cache store redis needs a server"
      : `the cache path ${safeUrl(path)} is not the URL of a Redis server`,
    { hint: "Set path to a URL such as redis://localhost:6379, or name the server with --redis." },
  );
}

function kvLocation(path: string, env: Environment): StoreLocation {
  const shown = safeUrl(path);
  if (openKv === undefined) {
    throw new ConfigurationError(`the cache path ${shown} needs Deno KV`, {
      hint: "Run on Deno with --unstable-kv, or use a file and the store sqlite.",
    });
  }
  if (!env.DENO_KV_ACCESS_TOKEN) {
    throw new ConfigurationError(`the cache path ${shown} needs an access token`, {
      hint: "Set the environment variable DENO_KV_ACCESS_TOKEN.",
    });
  }
  return { kind: "kv", location: path };
}

/**
 * Determines the store that `options` select, without opening it.
 *
 * @throws {ConfigurationError} if a name is unknown, or this runtime does not have the store
 */
export function locateStore(options: StoreOptions, env: Environment): StoreLocation {
  const { store = "auto", path, redis } = options;
  if (!STORE_NAMES.includes(store)) {
    throw new ConfigurationError(`unknown cache store "${store}"`, {
      hint: `Use one of ${STORE_NAMES.join(", ")}, or an object with getMany and setMany.`,
    });
  }
  if (store === "memory") return { kind: "memory", location: undefined };
  const isOnRedis = path === undefined ? redis !== undefined : isRedisServer(path);
  if (store === "redis" || store === "auto" && isOnRedis) {
    const address = redisAddress(options);
    return { kind: "redis", location: address.shown, redis: address };
  }
  if (path !== undefined && isRedisServer(path)) {
    throw new ConfigurationError(
      `the cache path ${safeUrl(path)} is a URL, which only the store redis can open`,
    );
  }
  const isServer = path !== undefined && isKvServer(path);
  if (isServer && store === "sqlite") {
    throw new ConfigurationError(
      `the cache path ${safeUrl(path)} is a URL, which only the store kv can open`,
    );
  }
  if (isServer) return kvLocation(path, env);
  if (store === "kv" && openKv === undefined) {
    throw new ConfigurationError("the cache store kv needs Deno KV", {
      hint: "Run on Deno with --unstable-kv, or use a file and the store sqlite.",
    });
  }
  const kind = store === "auto" ? openKv === undefined ? "sqlite" : "kv" : store;
  return { kind, location: resolve(path || join(homeFolder(env), "cache", FILE_NAMES[kind])) };
}

/** Creates the store on a Redis server, which connects at its first use. */
async function redisStore(
  address: RedisAddress,
  ttl: number = DEFAULT_TTL,
  options: RedisLinkOptions = {},
) {
  const { RedisStore } = await import("./stores/redis.ts");
  return new RedisStore(address, { lifetime: ttl === 0 ? Infinity : ttl * 1000, ...options });
}

/**
 * Opens the built-in store that `options` select. A server whose memory is full can be looked at and cleaned up.
 *
 * @throws {ConfigurationError} if the options are invalid
 * @throws {CacheError} if the store cannot be used
 */
export async function openStore(options: StoreOptions, env: Environment): Promise<ManagedStore> {
  const { kind, location, redis } = locateStore(options, env);
  if (kind === "memory" || location === undefined) return new MemoryStore();
  if (redis !== undefined) {
    const store = await redisStore(redis, options.ttl, { needsWrites: false });
    await store.connect();
    return store;
  }
  surviveFileSizeLimit();
  try {
    if (kind === "kv") {
      const { openKvStore } = await import("./stores/kv.ts");
      return await openKvStore(location);
    }
    const { openSqliteStore } = await import("./stores/sqlite.ts");
    return await openSqliteStore(location);
  } catch (error) {
    throw storeError(error, location);
  }
}

/**
 * Checks which store a client uses, and returns the function that opens it: a built-in store, which the
 * client closes, or the caller's own store, which it does not.
 *
 * @throws {ConfigurationError} if an option is invalid, or this runtime does not have the store
 */
export function storeOpener(
  { store, ...options }: Omit<StoreOptions, "store"> & { store?: StoreName | CacheStore },
  env: Environment,
): () => Promise<BatchedStore> {
  if (typeof store === "object" && store !== null) {
    const own = ownStore(store, options.path);
    return () => Promise.resolve(own);
  }
  const { redis } = locateStore({ store, ...options }, env);
  if (redis !== undefined) return () => redisStore(redis, options.ttl);
  return () => openStore({ store, ...options }, env);
}

/** Wraps the caller's store, so that only the methods of {@link CacheStore} are called. */
function ownStore(store: CacheStore, path: string | undefined): BatchedStore {
  if (typeof store.getMany !== "function" || typeof store.setMany !== "function") {
    throw new ConfigurationError("cache store: expected an object with getMany and setMany", {
      hint: `Or use one of ${STORE_NAMES.join(", ")}.`,
    });
  }
  if (path !== undefined) {
    throw new ConfigurationError("cache path: only built-in stores have a path", {
      hint: "Remove it, or set store to kv, sqlite or redis.",
    });
  }
  return {
    getMany: async (keys) => await store.getMany(keys),
    setMany: async (entries) => await store.setMany(entries),
  };
}
