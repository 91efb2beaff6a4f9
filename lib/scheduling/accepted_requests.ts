/**
 * Counts the requests that a server accepted in the last minute, by the time at which they were sent.
 *
 * @module
 */

/** Milliseconds that are counted together. */
const BUCKET = 100;
/** Buckets that are remembered. */
const BUCKETS = 600;

/** Seconds that are remembered. */
export const HISTORY = BUCKETS * BUCKET / 1000;

/** A ring buffer of counts. */
export class AcceptedRequests {
  readonly #counts = new Float64Array(BUCKETS);
  /** The bucket that each entry of the ring holds. */
  readonly #buckets = new Float64Array(BUCKETS).fill(-1);

  /** Counts a request that was sent at `sentAt`, in milliseconds. */
  add(sentAt: number): void {
    const bucket = Math.floor(sentAt / BUCKET);
    const entry = bucket % BUCKETS;
    if (this.#buckets[entry] !== bucket) {
      this.#buckets[entry] = bucket;
      this.#counts[entry] = 0;
    }
    this.#counts[entry]++;
  }

  /** Requests that were sent in the `window` seconds before `at`. */
  before(at: number, window: number): number {
    const last = Math.floor(at / BUCKET);
    let count = 0;
    for (let bucket = last; bucket > last - window * 1000 / BUCKET; bucket--) {
      const entry = ((bucket % BUCKETS) + BUCKETS) % BUCKETS;
      if (this.#buckets[entry] === bucket) count += this.#counts[entry];
    }
    return count;
  }
}
