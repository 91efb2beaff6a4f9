/**
 * What a store of the response cache is: texts under keys, with the time they were written. It knows
 * nothing of answers, and may lose or damage what it holds: who reads it checks it.
 *
 * @module
 */

/** The version of what stands in a file. Files of another version are left alone. */
export const FORMAT = 1;

/** The kinds of stores. */
export type StoreKind = "kv" | "sqlite" | "memory";

/** What is stored under a key. */
export interface StoredEntry {
  /** A sealed answer; see entry.ts. */
  value: string;
  /** When it was written, in milliseconds since 1970. */
  created: number;
  /** The model that was asked for. */
  model: string;
}

/** An entry and its key. */
export interface KeyedEntry extends StoredEntry {
  key: string;
}

/** What a store holds of one model. */
export interface ModelStats {
  model: string;
  entries: number;
  /** Bytes of the entries as they are stored. */
  bytes: number;
  /** Answers that were taken from the cache, since it was last cleared. */
  hits: number;
}

/** What a store holds. */
export interface StoreStats {
  kind: StoreKind;
  /** The file or URL; `undefined` for memory. */
  location: string | undefined;
  entries: number;
  /** Bytes of the entries as they are stored. */
  bytes: number;
  /** Bytes of the file; `undefined` where there is none. */
  fileBytes: number | undefined;
  /** Answers that were taken from the cache, since it was last cleared. */
  hits: number;
  /** When the oldest entry was written, in milliseconds since 1970; `undefined` when there is none. */
  oldest: number | undefined;
  /** When the newest entry was written. */
  newest: number | undefined;
  /** The same by model, the one with the most entries first. */
  models: ModelStats[];
}

/** Which entries to remove; all, when nothing is said. */
export interface ClearFilter {
  /** Only answers of this model. */
  model?: string;
  /** Only what was written before this time, in milliseconds since 1970. */
  before?: number;
}

/**
 * A store. Every method rejects when the store cannot be used; nothing is half written then. Many
 * processes may have the same file open.
 */
export interface CacheStore {
  readonly kind: StoreKind;
  /** The file or URL; `undefined` for memory. */
  readonly location: string | undefined;
  /** Reads entries, in the order of their keys. */
  getMany(keys: readonly string[]): Promise<(StoredEntry | undefined)[]>;
  /** Writes entries over what is there. A reader finds each as a whole or not at all. */
  setMany(entries: readonly KeyedEntry[]): Promise<void>;
  /** Adds to the hits of models. Kept apart from the entries, so that reading writes nothing. */
  addHits(hits: ReadonlyMap<string, number>): Promise<void>;
  /** Counts everything, which takes a while: microseconds for each entry. */
  stats(): Promise<StoreStats>;
  /** Removes entries; gives their number. */
  clear(filter?: ClearFilter): Promise<number>;
  /**
   * Removes what was written before `before`, and what killed writers left behind; gives back room on
   * the disk where it can. Gives the number of entries removed.
   */
  prune(limits: { before: number; now: number }): Promise<number>;
  /** Closes the store; nothing may be called after it. What it is at work on may fail. */
  close(): Promise<void>;
}
