/**
 * A cache store in memory, bounded in size: drops the least recently used entries first.
 *
 * @module
 */
import type { ClearFilter, KeyedEntry, ManagedStore, StoredEntry, StoreStats } from "../store.ts";
import { StatsCounter } from "../store_stats.ts";

const DEFAULT_BYTES = 256 * 1024 * 1024;

/** The approximate overhead of an entry, in bytes. */
const OVERHEAD = 200;

/** The size of an entry. Strings take up to two bytes per character. */
function bytesOf(key: string, { value, model }: StoredEntry): number {
  return 2 * (key.length + value.length + model.length) + OVERHEAD;
}

/** A store in memory. */
export class MemoryStore implements ManagedStore {
  readonly kind = "memory";
  readonly location = undefined;
  readonly #limit: number;
  /** The least recently used entry comes first, since a Map iterates in insertion order. */
  readonly #entries = new Map<string, StoredEntry>();
  readonly #hits = new Map<string, number>();
  #bytes = 0;

  /** Creates a store of up to `limit` bytes. */
  constructor(limit = DEFAULT_BYTES) {
    this.#limit = limit;
  }

  getMany(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    return Promise.resolve(keys.map((key) => {
      const entry = this.#entries.get(key);
      if (entry !== undefined) {
        this.#entries.delete(key);
        this.#entries.set(key, entry);
      }
      return entry;
    }));
  }

  setMany(entries: readonly KeyedEntry[]): Promise<void> {
    for (const { key, value, created, model } of entries) {
      this.#remove(key);
      const entry = { value, created, model };
      this.#entries.set(key, entry);
      this.#bytes += bytesOf(key, entry);
    }
    for (const key of this.#entries.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.#remove(key);
    }
    return Promise.resolve();
  }

  addHits(hits: ReadonlyMap<string, number>): Promise<void> {
    for (const [model, count] of hits) this.#hits.set(model, (this.#hits.get(model) ?? 0) + count);
    return Promise.resolve();
  }

  stats(): Promise<StoreStats> {
    const counter = new StatsCounter();
    for (const [key, entry] of this.#entries) {
      counter.add(entry.model, 1, bytesOf(key, entry), entry.created, entry.created);
    }
    for (const [model, hits] of this.#hits) counter.addHits(model, hits);
    return Promise.resolve(counter.result(this));
  }

  clear({ model, before = Infinity }: ClearFilter = {}): Promise<number> {
    const count = this.#entries.size;
    for (const [key, entry] of this.#entries) {
      if ((model ?? entry.model) === entry.model && entry.created < before) this.#remove(key);
    }
    if (before === Infinity) {
      if (model === undefined) this.#hits.clear();
      else this.#hits.delete(model);
    }
    return Promise.resolve(count - this.#entries.size);
  }

  prune({ before }: { before: number }): Promise<number> {
    return this.clear({ before });
  }

  close(): Promise<void> {
    this.#entries.clear();
    this.#bytes = 0;
    return Promise.resolve();
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= bytesOf(key, entry);
  }
}
