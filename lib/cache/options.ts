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
   * lasts as long as the client.
   *
   * @default Deno KV on Deno, else SQLite
   */
  store?: StoreName | CacheStore;
  /**
   * The file, or the URL of a KV Connect server, which several machines can share.
   *
   * @default a file in `~/.flexllm/cache`
   */
  path?: string;
  /**
   * Separates caches that share a store.
   *
   * @default ""
   */
  namespace?: string;
  /** Called at most once, if the cache cannot be used. The client then continues without it. */
  onWarning?: (message: string) => void;
}
