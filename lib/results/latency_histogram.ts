/**
 * Computes percentiles of durations in flat memory, within one percent.
 *
 * @module
 */

/** Each bucket is this much wider than the one before. */
const GROWTH = Math.log(1.02);
/** Shorter durations, in seconds, share the first bucket. */
const SHORTEST = 1e-4;
const BUCKETS = 1200;

/** Counts of durations by size. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  /** The number of durations. */
  count = 0;
  /** The longest duration; 0 without any. */
  max = 0;

  /** Adds a duration in seconds. */
  add(seconds: number): void {
    this.count++;
    if (seconds > this.max) this.max = seconds;
    const bucket = seconds <= SHORTEST ? 0 : Math.ceil(Math.log(seconds / SHORTEST) / GROWTH);
    this.#counts[Math.min(bucket, BUCKETS - 1)]++;
  }

  /** The duration that the `share` (0 to 1) of all do not exceed; `undefined` without any. */
  percentile(share: number): number | undefined {
    if (this.count === 0) return undefined;
    let rest = Math.ceil(share * this.count);
    let bucket = 0;
    while (rest > this.#counts[bucket]) rest -= this.#counts[bucket++];
    // The middle of the bucket.
    return Math.min(this.max, SHORTEST * Math.exp((bucket - 0.5) * GROWTH));
  }
}
