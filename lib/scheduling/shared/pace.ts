/**
 * Measures how fast a process sends requests, so that it can take quota ahead for those to come.
 *
 * @module
 */

/** Milliseconds after which a pace is measured again. */
const SPAN = 10;

/** The requests of a process over time. Times are in milliseconds. */
export class Pace {
  /** Requests since the last measurement. */
  count = 0;
  #since = -Infinity;
  #perMillisecond = 0;

  /** Measures the pace since the last measurement, unless that was a moment ago. */
  measure(now: number): void {
    const elapsed = now - this.#since;
    if (elapsed < SPAN) return;
    this.#perMillisecond = this.count / elapsed;
    this.count = 0;
    this.#since = now;
  }

  /** How many requests this pace makes in `milliseconds`, rounded down. */
  during(milliseconds: number): number {
    return Math.floor(this.#perMillisecond * milliseconds);
  }
}
