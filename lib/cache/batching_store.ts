/**
 * Batches single reads and writes, because stores are much faster with batches.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import { AwaitedAnswers } from "./awaited_answers.ts";
import { ReadBatch } from "./read_batch.ts";
import { isBusy, STORE_TIMEOUT, withStoreTimeout } from "./store_timeout.ts";
import type {
  CacheStore,
  ClaimingStore,
  KeyedEntry,
  Lookup,
  ManagedStore,
  StoredEntry,
} from "./store.ts";
import { isRemote } from "./store_file.ts";

/** A built-in store, or the caller's own, which only reads and writes. */
export type BatchedStore =
  & CacheStore
  & Partial<
    Pick<ManagedStore, "location" | "recovers" | "reportLoss" | "getNow" | "addHits" | "close">
  >
  & Partial<ClaimingStore>;

/** A read that comes more than this many milliseconds after the last one gains nothing from a batch. */
const READ_PAUSE = 1;

/** Milliseconds that a write waits for others. A kill of the process loses the answers of this time. */
const WRITE_DELAY = 50;

/** The maximum entries and characters of a batch of writes. A single larger entry is its own batch. */
const BATCH_ENTRIES = 500;
const BATCH_CHARACTERS = 2 ** 20;

/** Above this many pending characters, writers have to wait. */
const PENDING_CHARACTERS = 2 ** 23;

/** The first connection to a server takes longer. */
const REMOTE_TIMEOUT = 5 * STORE_TIMEOUT;

/**
 * Batches the operations of a store: reads per turn of the event loop, writes over a few milliseconds. Writes
 * keep their order, and one batch is written at a time.
 */
export class BatchingStore {
  /** The file or URL of the store; `undefined` if it has none. */
  readonly location: string | undefined;
  readonly #store: BatchedStore;
  readonly #onWriteError: (error: unknown) => void;
  readonly #timeout: number;
  readonly #reads: ReadBatch<StoredEntry | undefined>;
  /** The reads that claim what is missing, and the answers that other processes fetch. */
  readonly #claims: { reads: ReadBatch<Lookup>; awaited: AwaitedAnswers } | undefined;
  /** When the last read began, by `performance.now()`. */
  #readAt = -Infinity;
  /** Entries to be written next. */
  #pending = new Map<string, KeyedEntry>();
  #pendingCharacters = 0;
  /** Entries being written. */
  #writing: ReadonlyMap<string, KeyedEntry> = new Map();
  #write: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Batches the operations of `store`. `onWriteError` is called when a batch could not be written.
   * Operations that take longer than `timeout` milliseconds are rejected.
   */
  constructor(store: BatchedStore, onWriteError: (error: unknown) => void, timeout?: number) {
    this.#store = store;
    this.location = store.location;
    this.#onWriteError = onWriteError;
    this.#timeout = timeout ?? (isRemote(store.location ?? "") ? REMOTE_TIMEOUT : STORE_TIMEOUT);
    this.#reads = this.#batched((keys) => store.getMany(keys));
    if (claims(store)) {
      const reads = this.#batched((keys) => store.readOrClaim(keys));
      this.#claims = { reads, awaited: new AwaitedAnswers(store) };
    }
  }

  /** Whether failures of the store pass by themselves. */
  get recovers(): boolean {
    return this.#store.recovers === true;
  }

  /** Reads an entry, even if it has not been written to the store yet. */
  get(key: string): Promise<StoredEntry | undefined> {
    const unwritten = this.#pending.get(key) ?? this.#writing.get(key);
    if (unwritten !== undefined) return Promise.resolve(unwritten);
    const now = performance.now();
    const isAlone = now - this.#readAt > READ_PAUSE;
    this.#readAt = now;
    if (isAlone && this.#store.getNow !== undefined) {
      try {
        return Promise.resolve(this.#store.getNow(key));
      } catch (error) {
        if (!isBusy(error)) return Promise.reject(error);
      }
    }
    return this.#reads.read(key);
  }

  /**
   * Reads an entry. Without one, claims the right to fetch it if the store is for several processes; the claim
   * ends with {@link BatchingStore.set} or {@link BatchingStore.release}.
   */
  async getOrClaim(key: string): Promise<Lookup | undefined> {
    const isUnwritten = this.#pending.has(key) || this.#writing.has(key);
    if (this.#claims === undefined || isUnwritten) return await this.get(key);
    return await this.#claims.reads.read(key);
  }

  /**
   * Waits, not for long, for the entry of a key that another process has claimed; `undefined` if the caller has
   * to fetch it.
   *
   * @throws {AbortedError} when `signal` fires
   */
  async wait(key: string, signal?: AbortSignal): Promise<StoredEntry | undefined> {
    return await this.#claims?.awaited.wait(key, signal);
  }

  /** Gives up a claim. Never rejects: claims end by themselves. */
  async release(key: string): Promise<void> {
    await this.#store.release?.([key]).catch(() => {});
  }

  /**
   * Schedules the write of an entry. Returns a promise to wait for if the store is far behind, which rejects if
   * the store hangs.
   */
  set(entry: KeyedEntry): Promise<void> | undefined {
    const replaced = this.#pending.get(entry.key);
    if (replaced !== undefined) this.#pendingCharacters -= replaced.value.length;
    this.#pending.set(entry.key, entry);
    this.#pendingCharacters += entry.value.length;
    if (this.#write === undefined) {
      if (this.#isBatchFull()) this.#writeBatch();
      else this.#timer ??= setTimeout(() => this.#writeBatch(), WRITE_DELAY);
    }
    if (this.#pendingCharacters <= PENDING_CHARACTERS || this.#write === undefined) {
      return undefined;
    }
    // Its writes fail soon if it cannot be used, and nothing waits for it.
    if (this.recovers) return undefined;
    return withStoreTimeout(this.#write, this.#timeout);
  }

  /**
   * Writes pending entries and the hits of each model, then closes the store. There is no time limit as long
   * as the store makes progress.
   *
   * @throws an error of the store, or {@link CacheError} if it hangs; the store is then abandoned
   */
  async close(hits: ReadonlyMap<string, number>): Promise<void> {
    try {
      while (this.#write !== undefined || this.#pending.size > 0) {
        if (this.#write === undefined) this.#writeBatch();
        else await withStoreTimeout(this.#write, this.#timeout);
      }
      if (hits.size > 0) await withStoreTimeout(this.addHits(hits), this.#timeout);
    } catch (error) {
      this.abandon();
      throw error;
    }
    await this.#store.close?.();
  }

  /** Adds to the hits of models, if the store counts them. */
  async addHits(hits: ReadonlyMap<string, number>): Promise<void> {
    await this.#store.addHits?.(hits);
  }

  /** Drops pending entries and closes the store without waiting for it. */
  abandon(): void {
    clearTimeout(this.#timer);
    this.#pending.clear();
    this.#pendingCharacters = 0;
    this.#store.close?.().catch(() => {});
  }

  #batched<T>(readMany: (keys: readonly string[]) => Promise<T[]>): ReadBatch<T> {
    return new ReadBatch((keys) => withStoreTimeout(readMany(keys), this.#timeout));
  }

  #isBatchFull(): boolean {
    return this.#pending.size >= BATCH_ENTRIES || this.#pendingCharacters >= BATCH_CHARACTERS;
  }

  /** Removes the oldest pending entries for the next batch. */
  #takeBatch(): Map<string, KeyedEntry> {
    const batch = new Map<string, KeyedEntry>();
    let characters = 0;
    for (const [key, entry] of this.#pending) {
      characters += entry.value.length;
      if (batch.size === BATCH_ENTRIES || (characters > BATCH_CHARACTERS && batch.size > 0)) break;
      batch.set(key, entry);
      this.#pending.delete(key);
      this.#pendingCharacters -= entry.value.length;
    }
    return batch;
  }

  #writeBatch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.size === 0) return;
    this.#writing = this.#takeBatch();
    this.#write = this.#store.setMany([...this.#writing.values()])
      .catch(this.#onWriteError)
      .then(() => {
        this.#writing = new Map();
        this.#write = undefined;
        // Entries that arrived meanwhile have waited long enough.
        this.#writeBatch();
      });
  }
}

function claims(store: BatchedStore): store is BatchedStore & ClaimingStore {
  return store.readOrClaim !== undefined && store.release !== undefined;
}
