/**
 * The options of the response cache.
 *
 * @module
 */
import type { StoreName } from "./open_store.ts";

/** The options of a client's response cache. */
export interface CacheOptions {
  /** Seconds that an answer is good for, from when it was written; 0 for ever; default a day. */
  ttl?: number;
  /**
   * Where the answers are kept; default Deno KV where it is there, else SQLite. `memory` ends with the
   * client.
   */
  store?: StoreName;
  /** The file, or a KV Connect URL to share the cache; default a file in the user's folder. */
  path?: string;
  /** Keeps caches apart that share a store. */
  namespace?: string;
  /** Called at most once, when the cache cannot be used; everything goes on without it then. */
  onWarning?: (message: string) => void;
}
