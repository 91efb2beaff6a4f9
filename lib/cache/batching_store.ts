/**
 * Many single reads and writes as few large ones, which is where a store is fast.
 *
 * @module
 */
import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import { PATIENCE, withPatience } from "./store_timeout.ts";
import type { CacheStore, KeyedEntry, StoredEntry } from "./store.ts";
import { isUrl } from "./store_file.ts";

/** How long an entry waits for others to be written with, in milliseconds. */
const WRITE_DELAY = 10;

/** The most entries and characters of a group of writes, unless one alone has more. */
const GROUP_ENTRIES = 200;
const GROUP_CHARACTERS = 2 ** 20;

/** With so many characters waiting, whoever writes more has to wait. */
const WAITING_CHARACTERS = 2 ** 23;

/** A server may have to be found and greeted first. */
const REMOTE_PATIENCE = 5 * PATIENCE;

/** A read that waits for its group. */
interface Read {
  key: string;
  resolve: (entry: StoredEntry | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * Groups what is asked of a store. Reads of one turn of the event loop go together; writes go together
 * in their order, after a few milliseconds at most, one group after the other.
 */
export class BatchingStore {
  /** The file or URL of the store; `undefined` for memory. */
  readonly location: string | undefined;
  readonly #store: CacheStore;
  readonly #onWriteError: (error: unknown) => void;
  readonly #patience: number;
  #reads: Read[] = [];
  /** What is to be written next. */
  #waiting = new Map<string, KeyedEntry>();
  #waitingCharacters = 0;
  /** What is being written. */
  #writing: ReadonlyMap<string, KeyedEntry> = new Map();
  #write: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Groups the reads and writes of `store`. `onWriteError` is called when a group could not be written;
   * what is waited for for longer than `patience` milliseconds is rejected.
   */
  constructor(store: CacheStore, onWriteError: (error: unknown) => void, patience?: number) {
    this.#store = store;
    this.location = store.location;
    this.#onWriteError = onWriteError;
    this.#patience = patience ?? (isUrl(store.location ?? "") ? REMOTE_PATIENCE : PATIENCE);
  }

  /** Reads an entry; one that was set before is found although it is not written yet. */
  get(key: string): Promise<StoredEntry | undefined> {
    const unwritten = this.#waiting.get(key) ?? this.#writing.get(key);
    if (unwritten !== undefined) return Promise.resolve(unwritten);
    return new Promise((resolve, reject) => {
      if (this.#reads.push({ key, resolve, reject }) === 1) setImmediate(() => this.#readGroup());
    });
  }

  /**
   * Writes an entry soon. When the store is far behind, the promise given is to be waited for; it is
   * rejected when the store stands still.
   */
  set(entry: KeyedEntry): Promise<void> | undefined {
    const replaced = this.#waiting.get(entry.key);
    if (replaced !== undefined) this.#waitingCharacters -= replaced.value.length;
    this.#waiting.set(entry.key, entry);
    this.#waitingCharacters += entry.value.length;
    if (this.#write === undefined) {
      if (this.#isGroupFull()) this.#writeGroup();
      else this.#timer ??= setTimeout(() => this.#writeGroup(), WRITE_DELAY);
    }
    if (this.#waitingCharacters <= WAITING_CHARACTERS || this.#write === undefined) {
      return undefined;
    }
    return withPatience(this.#write, this.#patience);
  }

  /**
   * Writes what waits and the hits of each model, then closes the store. It may take as long as it
   * takes, while it goes on.
   *
   * @throws an error of the store, or {@link CacheError} when it stands still; it is then abandoned
   */
  async close(hits: ReadonlyMap<string, number>): Promise<void> {
    try {
      while (this.#write !== undefined || this.#waiting.size > 0) {
        if (this.#write === undefined) this.#writeGroup();
        else await withPatience(this.#write, this.#patience);
      }
      if (hits.size > 0) await withPatience(this.#store.addHits(hits), this.#patience);
    } catch (error) {
      this.abandon();
      throw error;
    }
    await this.#store.close();
  }

  /** Adds to the hits of models. */
  async addHits(hits: ReadonlyMap<string, number>): Promise<void> {
    await this.#store.addHits(hits);
  }

  /** Drops what waits, and closes the store without waiting for it. */
  abandon(): void {
    clearTimeout(this.#timer);
    this.#waiting.clear();
    this.#waitingCharacters = 0;
    this.#store.close().catch(() => {});
  }

  async #readGroup(): Promise<void> {
    const reads = this.#reads;
    this.#reads = [];
    try {
      const work = this.#store.getMany(reads.map(({ key }) => key));
      const entries = await withPatience(work, this.#patience);
      for (const [i, { resolve }] of reads.entries()) resolve(entries[i]);
    } catch (error) {
      for (const { reject } of reads) reject(error);
    }
  }

  #isGroupFull(): boolean {
    return this.#waiting.size >= GROUP_ENTRIES || this.#waitingCharacters >= GROUP_CHARACTERS;
  }

  /** Takes the oldest of what waits. */
  #takeGroup(): Map<string, KeyedEntry> {
    const group = new Map<string, KeyedEntry>();
    let characters = 0;
    for (const [key, entry] of this.#waiting) {
      characters += entry.value.length;
      if (group.size === GROUP_ENTRIES || (characters > GROUP_CHARACTERS && group.size > 0)) break;
      group.set(key, entry);
      this.#waiting.delete(key);
      this.#waitingCharacters -= entry.value.length;
    }
    return group;
  }

  #writeGroup(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    this.#writing = this.#takeGroup();
    this.#write = this.#store.setMany([...this.#writing.values()])
      .catch(this.#onWriteError)
      .then(() => {
        this.#writing = new Map();
        this.#write = undefined;
        // What came meanwhile has waited long enough.
        this.#writeGroup();
      });
  }
}
