/**
 * Finds the records that take much longer than others.
 *
 * @module
 */

/** Recent calls that are compared. */
const SAMPLES = 1000;
/** Calls that are needed to know how long they take. */
const MIN_SAMPLES = 20;
/** A straggler takes this many times longer than 95 % of the calls. */
const FACTOR = 3;

/** Learns how long calls take. */
export class StragglerWatch {
  readonly #seconds: number[] = [];
  #next = 0;

  /** Adds the duration of a call in seconds. */
  add(seconds: number): void {
    this.#seconds[this.#next] = seconds;
    this.#next = (this.#next + 1) % SAMPLES;
  }

  /** The seconds after which a call is a straggler; `Infinity` while that is unknown. */
  get limit(): number {
    if (this.#seconds.length < MIN_SAMPLES) return Infinity;
    const sorted = this.#seconds.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length * 0.95)] * FACTOR;
  }
}
