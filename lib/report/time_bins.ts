/**
 * Sums values over time in flat memory, however long a run takes and however long it is idle.
 *
 * @module
 */
import { OTHERS } from "../results/summary.ts";

/** How values of a channel are combined. */
type Merge = "sum" | "max";

/** The values of one period. */
export interface TimeBin {
  /** The start, in milliseconds since 1970. */
  at: number;
  /** By channel; channels after the last one that was set are absent. */
  values: readonly number[];
}

/** Shortest period, in milliseconds. */
const SHORTEST = 100;
/** Maximum periods with a value; if there are more, all periods get longer. */
const MAX_BINS = 600;
/** Maximum channels; further ones share the last. */
const MAX_CHANNELS = 24;

/** Values by period and channel. Only periods with a value take memory. */
export class TimeBins {
  #width = SHORTEST;
  #bins = new Map<number, number[]>();
  readonly #merges: Merge[] = [];
  readonly #names: string[] = [];

  /** The length of a period in milliseconds. */
  get width(): number {
    return this.#width;
  }

  /** The names of the channels. */
  get channels(): readonly string[] {
    return this.#names;
  }

  /** The number of the channel `name`; it is created if there is room, otherwise `(others)` gets its values. */
  channel(name: string, merge: Merge = "sum"): number {
    const known = this.#names.indexOf(name);
    if (known >= 0) return known;
    if (this.#names.length === MAX_CHANNELS) return MAX_CHANNELS - 1;
    const isLast = this.#names.length === MAX_CHANNELS - 1;
    this.#merges.push(merge);
    return this.#names.push(isLast ? OTHERS : name) - 1;
  }

  /** Adds a value at a time in milliseconds since 1970. */
  add(at: number, channel: number, value = 1): void {
    const key = Math.floor(at / this.#width);
    let values = this.#bins.get(key);
    if (values === undefined) {
      if (this.#bins.size === MAX_BINS) {
        this.#widen();
        return this.add(at, channel, value);
      }
      this.#bins.set(key, values = []);
    }
    this.#merge(values, channel, value);
  }

  /** The periods with a value in the order of time. */
  list(): TimeBin[] {
    return [...this.#bins].sort(([a], [b]) => a - b)
      .map(([key, values]) => ({ at: key * this.#width, values }));
  }

  #merge(values: number[], channel: number, value: number): void {
    while (values.length <= channel) values.push(0);
    values[channel] = this.#merges[channel] === "max"
      ? Math.max(values[channel], value)
      : values[channel] + value;
  }

  /** Doubles the length of the periods until at most half of them are left. */
  #widen(): void {
    while (this.#bins.size > MAX_BINS / 2) {
      const wider = new Map<number, number[]>();
      this.#width *= 2;
      for (const [key, values] of this.#bins) {
        const half = Math.floor(key / 2);
        const merged = wider.get(half);
        if (merged === undefined) wider.set(half, values);
        else for (const [channel, value] of values.entries()) this.#merge(merged, channel, value);
      }
      // Scattered times may not share a period until after many doublings.
      this.#bins = wider;
    }
  }
}
