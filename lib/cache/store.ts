/**
 * The interface of a store of the response cache.
 *
 * A store maps keys to texts, with the time they were written. It knows nothing of answers. It may lose or
 * damage entries: the cache verifies each entry that it reads.
 *
 * @module
 */

/** The version of the file format. Files of another version are neither read nor changed. */
export const FORMAT = 1;

/** The default lifetime of an answer, in seconds. */
export const DEFAULT_TTL: number = 24 * 60 * 60;

/** The kinds of built-in stores. */
export type StoreKind = "kv" | "sqlite" | "memory" | "redis";

/** The value of one key in a {@link CacheStore}. */
export interface StoredEntry {
  /** The signed answer. Store it unchanged. */
  value: string;
  /** When the answer was written, in milliseconds since 1970. */
  created: number;
  /** The requested model. */
  model: string;
}

/** An entry and its key. */
export interface KeyedEntry extends StoredEntry {
  /** The key: 43 characters of `[A-Za-z0-9_-]`. */
  key: string;
}

/**
 * A store for the response cache. Implement it to store answers in your own database, and pass it as
 * `cache: { store }`.
 *
 * The cache batches reads and writes, checks the age of each entry, and verifies that it belongs to its key.
 * A store may drop entries at any time, and must return values unchanged. If a method rejects, the cache warns
 * once and the client continues without it.
 *
 * @example A store in a `Map`
 * ```ts
 * import { type CacheStore, type KeyedEntry, LLMClient, type StoredEntry } from "@flexllm/flexllm";
 *
 * class MapStore implements CacheStore {
 *   readonly #entries = new Map<string, StoredEntry>();
 *
 *   getMany(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
 *     return Promise.resolve(keys.map((key) => this.#entries.get(key)));
 *   }
 *
 *   setMany(entries: readonly KeyedEntry[]): Promise<void> {
 *     for (const { key, ...entry } of entries) this.#entries.set(key, entry);
 *     return Promise.resolve();
 *   }
 * }
 *
 * await using client = new LLMClient({
 *   provider: "mock",
 *   model: "mock",
 *   cache: { store: new MapStore() },
 * });
 * await client.chatCompletions([{ role: "user", content: "Hello!" }]);
 * const { cached } = await client.chatCompletions([{ role: "user", content: "Hello!" }]);
 * console.log(cached); // true
 * ```
 */
export interface CacheStore {
  /** Reads the entries of `keys`, in their order; `undefined` for a key that the store does not have. */
  getMany(keys: readonly string[]): Promise<(StoredEntry | undefined)[]>;
  /** Writes entries, replacing existing ones. Readers must see each entry complete or not at all. */
  setMany(entries: readonly KeyedEntry[]): Promise<void>;
}

/**
 * The right to fetch an answer, which one process at a time holds for a key: `claimed` by the process that
 * asked, or `awaited` from another process.
 */
export type Claim = "claimed" | "awaited";

/** What a store has for a key, or who fetches it. */
export type Lookup = StoredEntry | Claim;

/** A store through which processes agree on who fetches an answer. */
export interface ClaimingStore {
  /** Reads entries; claims the keys that have none, unless another process has claimed them. */
  readOrClaim(keys: readonly string[]): Promise<Lookup[]>;
  /** Gives claims up. Writing an entry does this as well. */
  release(keys: readonly string[]): Promise<void>;
}

/** Statistics of one model in a store. */
export interface ModelStats {
  /** The model. */
  model: string;
  /** Number of entries. */
  entries: number;
  /** Bytes of the entries as they are stored. */
  bytes: number;
  /** Cache hits since the store was last cleared. */
  hits: number;
}

/** Statistics of a store. */
export interface StoreStats {
  /** The kind of store. */
  kind: StoreKind;
  /** The file or URL, without a password; `undefined` for memory. */
  location: string | undefined;
  /** Number of entries. */
  entries: number;
  /** Bytes of the entries as they are stored. */
  bytes: number;
  /** Size of the file in bytes; `undefined` if there is no file. */
  fileBytes: number | undefined;
  /** Cache hits since the store was last cleared. */
  hits: number;
  /** When the oldest entry was written, in milliseconds since 1970; `undefined` if there is none. */
  oldest: number | undefined;
  /** When the newest entry was written. */
  newest: number | undefined;
  /** Statistics by model, the model with the most entries first. */
  models: ModelStats[];
}

/**
 * Selects the entries to remove; by default all.
 */
export interface ClearFilter {
  /** Only entries of this model. */
  model?: string;
  /** Only entries written before this time, in milliseconds since 1970. */
  before?: number;
}

/**
 * A built-in store, which also has statistics and can be pruned. Methods reject if the store cannot be
 * used; then nothing is half written. Several processes may open the same file.
 */
export interface ManagedStore extends CacheStore {
  readonly kind: StoreKind;
  /** The file or URL, without a password; `undefined` for memory. */
  readonly location: string | undefined;
  /**
   * Reads a single entry at once, if the store can. Throws if it is locked; {@link CacheStore.getMany} waits.
   */
  getNow?(key: string): StoredEntry | undefined;
  /** Whether failures pass: the store connects again by itself. */
  readonly recovers?: boolean;
  /**
   * Reports from now on when the server of the store is lost and when it is back, together with other parts of the
   * process that report to the same function.
   */
  reportLoss?(report: (line: string) => void): void;
  /** Adds to the hits of models. Hits are stored apart from the entries, so that reading writes nothing. */
  addHits(hits: ReadonlyMap<string, number>): Promise<void>;
  /** Collects statistics, which takes microseconds per entry. */
  stats(): Promise<StoreStats>;
  /** Removes entries and returns their number. */
  clear(filter?: ClearFilter): Promise<number>;
  /**
   * Removes entries written before `before`, and leftovers of killed writers; reclaims disk space if
   * possible. Returns the number of entries removed.
   */
  prune(limits: { before: number; now: number }): Promise<number>;
  /** Closes the store, after which no method may be called. Operations in progress may fail. */
  close(): Promise<void>;
}
