/**
 * How fast something grows now, not on the average of hours.
 *
 * @module
 */

/** Milliseconds that are looked back on, at least. */
const WINDOW = 10_000;
/** What must have been counted in that time; else it is looked back on more. */
const LEAST_COUNT = 20;

/** The speed of a count over the last ten seconds, or over the last twenty if they took longer. */
export class RecentRate {
  /** The moments at which the count was seen to have grown. */
  readonly #seen: { time: number; count: number }[];

  /** Begins with a count of 0 at `now`, in milliseconds. */
  constructor(now: number) {
    this.#seen = [{ time: now, count: 0 }];
  }

  /** Notes that the count is `count` at `now`, in milliseconds. Costs nothing when it has not grown. */
  note(count: number, now: number): void {
    const seen = this.#seen;
    if (count > seen.at(-1)!.count) seen.push({ time: now, count });
    while (
      seen.length > 2 && now - seen[0].time > WINDOW && count - seen[1].count >= LEAST_COUNT
    ) {
      seen.shift();
    }
  }

  /** The growth a second at `now`, in milliseconds; `undefined` before there was any. */
  perSecond(now: number): number | undefined {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)!];
    if (first === last) return undefined;
    let longest = 0;
    for (let i = 1; i < this.#seen.length; i++) {
      longest = Math.max(longest, this.#seen[i].time - this.#seen[i - 1].time);
    }
    // Answers may come in bursts: a pause tells of a slower server only when it is longer than others.
    const end = Math.max(last.time, now - longest);
    return (last.count - first.count) * 1000 / Math.max(1, end - first.time);
  }
}
