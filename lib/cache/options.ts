/**
 * The options of the response cache.
 *
 * @module
 */
import type { StoreName } from "./open_store.ts";
import type { CacheStore } from "./store.ts";

/** The options of a client's response cache. */
export interface CacheOptions {
  /**
   * Seconds until an answer expires, from when it was written; 0 for never.
   *
   * @default 86400 (a day)
   */
  ttl?: number;
  /**
   * Where answers are stored: the name of a built-in store, or a {@link CacheStore} of your own. `memory`
   * lasts as long as the client. `redis` is for processes on any number of machines.
   *
   * @default Redis if the client uses one, else Deno KV on Deno, else SQLite
   */
  store?: StoreName | CacheStore;
  /**
   * The file, or the URL of a server that several machines can share: `redis://` or `rediss://` for Redis and
   * Valkey, `https://` for KV Connect.
   *
   * @default a file in `~/.flexllm/cache`, or the Redis server of the client
   */
  path?: string;
  /**
   * Separates caches that share a store.
   *
   * @default ""
   */
  namespace?: string;
  /**
   * Called at most once, if the cache cannot be used. The client then continues without it; a cache in Redis is
   * used again as soon as it responds.
   */
  onWarning?: (message: string) => void;
}
