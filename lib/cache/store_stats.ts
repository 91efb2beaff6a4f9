/**
 * Collects the statistics of a store.
 *
 * @module
 */
import type { ManagedStore, ModelStats, StoreStats } from "./store.ts";

/** Collects statistics, entry by entry or group by group. */
export class StatsCounter {
  readonly #models = new Map<string, ModelStats>();
  #oldest: number | undefined;
  #newest: number | undefined;

  #model(model: string): ModelStats {
    let stats = this.#models.get(model);
    if (stats === undefined) {
      stats = { model, entries: 0, bytes: 0, hits: 0 };
      this.#models.set(model, stats);
    }
    return stats;
  }

  /** Adds entries of one model, written from `oldest` to `newest`. */
  add(model: string, entries: number, bytes: number, oldest: number, newest: number): void {
    const stats = this.#model(model);
    stats.entries += entries;
    stats.bytes += bytes;
    this.#oldest = Math.min(this.#oldest ?? oldest, oldest);
    this.#newest = Math.max(this.#newest ?? newest, newest);
  }

  /** Adds hits of one model. */
  addHits(model: string, hits: number): void {
    this.#model(model).hits += hits;
  }

  /** The statistics of `store`; `fileBytes` is the size of its file. */
  result({ kind, location }: ManagedStore, fileBytes?: number): StoreStats {
    const models = [...this.#models.values()].sort((a, b) => b.entries - a.entries);
    const sum = (name: "entries" | "bytes" | "hits") =>
      models.reduce((total, model) => total + model[name], 0);
    return {
      kind,
      location,
      entries: sum("entries"),
      bytes: sum("bytes"),
      fileBytes,
      hits: sum("hits"),
      oldest: this.#oldest,
      newest: this.#newest,
      models,
    };
  }
}
