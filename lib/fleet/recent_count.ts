/**
 * Measures how fast a count grows, over the last seconds.
 *
 * @module
 */

/** Seconds over which the rate is measured. */
const SPAN = 10;

/** The recent rate of a growing count. */
export class RecentCount {
  readonly #samples: { at: number; count: number }[] = [];

  /** Adds a sample, and returns the rate per second; `now` in milliseconds. */
  rate(count: number, now: number): number {
    this.#samples.push({ at: now, count });
    while (this.#samples.length > 2 && this.#samples[1].at < now - SPAN * 1000) {
      this.#samples.shift();
    }
    const [first] = this.#samples;
    return now === first.at ? 0 : (count - first.count) * 1000 / (now - first.at);
  }
}
