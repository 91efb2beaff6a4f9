/**
 * Measures the recent rate of a growing count, as opposed to its average over hours.
 *
 * @module
 */

/** Minimum length of the window, in milliseconds. */
const WINDOW = 10_000;
/** Minimum growth within the window; it is extended until it contains that much. */
const MIN_GROWTH = 20;

/** The rate of a count over the last 10 seconds, or over the last 20 increments if they took longer. */
export class RecentRate {
  /** When the count was seen to have grown. */
  readonly #seen: { time: number; count: number }[];

  /** Starts with a count of 0 at `now`, in milliseconds. */
  constructor(now: number) {
    this.#seen = [{ time: now, count: 0 }];
  }

  /** Adds the count at `now`, in milliseconds. An unchanged count takes no memory. */
  note(count: number, now: number): void {
    const seen = this.#seen;
    if (count > seen.at(-1)!.count) seen.push({ time: now, count });
    while (
      seen.length > 2 && now - seen[0].time > WINDOW && count - seen[1].count >= MIN_GROWTH
    ) {
      seen.shift();
    }
  }

  /** The growth per second at `now`, in milliseconds; `undefined` before there was any. */
  perSecond(now: number): number | undefined {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)!];
    if (first === last) return undefined;
    let longestPause = 0;
    for (let i = 1; i < this.#seen.length; i++) {
      longestPause = Math.max(longestPause, this.#seen[i].time - this.#seen[i - 1].time);
    }
    // Answers may come in bursts: a pause means a slower server only if it is the longest so far.
    const end = Math.max(last.time, now - longestPause);
    return (last.count - first.count) * 1000 / Math.max(1, end - first.time);
  }
}
