/**
 * Counts durations or amounts by size in flat memory; percentiles are within one percent.
 *
 * @module
 */

/** Each bucket is this much wider than the one before. */
const GROWTH = Math.log(1.02);
/** Smaller values share the first bucket. */
const SMALLEST = 1e-4;
const BUCKETS = 1200;

/** The values between two sizes. */
export interface HistogramBucket {
  /** Its position among all; the first one has 0. */
  position: number;
  count: number;
}

/** The number of buckets whose values are up to `factor` times those of the first, rarely a whole number. */
export function bucketsWithin(factor: number): number {
  return Math.log(factor) / GROWTH;
}

/** The upper end of the bucket at `position`, which is the lower end of the next. */
export function bucketEnd(position: number): number {
  return SMALLEST * Math.exp(position * GROWTH);
}

/** Counts of values by size, from 0.0001 to two million: seconds, or tokens. */
export class LogHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  /** The number of values. */
  count = 0;
  /** The largest value; 0 without any. */
  max = 0;

  /** Adds a value. */
  add(value: number): void {
    this.count++;
    if (value > this.max) this.max = value;
    const bucket = value <= SMALLEST ? 0 : Math.ceil(Math.log(value / SMALLEST) / GROWTH);
    this.#counts[Math.min(bucket, BUCKETS - 1)]++;
  }

  /** The value that the `share` (0 to 1) of all do not exceed; `undefined` without any. */
  percentile(share: number): number | undefined {
    if (this.count === 0) return undefined;
    let rest = Math.max(1, Math.ceil(share * this.count));
    let bucket = 0;
    while (rest > this.#counts[bucket]) rest -= this.#counts[bucket++];
    // The middle of the bucket.
    return Math.min(this.max, SMALLEST * Math.exp((bucket - 0.5) * GROWTH));
  }

  /** The buckets that are not empty, the smallest values first. */
  *buckets(): Generator<HistogramBucket> {
    for (const [position, count] of this.#counts.entries()) {
      if (count > 0) yield { position, count };
    }
  }
}
