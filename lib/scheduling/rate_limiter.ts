/**
 * Spreads requests evenly over time: never more than the limit in any window of one second.
 *
 * @module
 */
import type { Clock } from "../clock.ts";

/** The most that is made up for, in milliseconds. */
const MAX_LAG = 20;

/**
 * Grants `perSecond` requests a second, evenly spaced. A timer that fires late is made up for, since
 * at high rates no timer is exact, but never beyond the limit in any one second.
 */
export class RateLimiter {
  readonly #interval: number;
  readonly #clock: Clock;
  /** The moments of the last grants, a ring as long as a second may hold. */
  readonly #granted: Float64Array;
  #oldest = 0;
  #next = -Infinity;
  /** Resolves when whoever came before has been granted. */
  #turn: Promise<void> = Promise.resolve();

  /** `perSecond` above 0; fractions are allowed. */
  constructor(perSecond: number, clock: Clock) {
    this.#interval = 1000 / perSecond;
    this.#clock = clock;
    this.#granted = new Float64Array(Math.max(1, Math.floor(perSecond))).fill(-Infinity);
  }

  /** Waits for the caller's turn. Rejects with {@link AbortedError} when `signal` fires first. */
  async take(signal?: AbortSignal): Promise<void> {
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    try {
      await this.#grant(signal);
    } finally {
      resolve();
    }
  }

  async #grant(signal: AbortSignal | undefined): Promise<void> {
    const window = this.#granted[this.#oldest] + Math.max(1000, this.#interval);
    const now = this.#clock.now();
    const planned = Math.max(this.#next, window, now);
    if (planned > now) await this.#clock.sleep(planned - now, signal);
    const granted = Math.max(planned, this.#clock.now());
    this.#granted[this.#oldest] = granted;
    this.#oldest = (this.#oldest + 1) % this.#granted.length;
    // The plan may lag behind by what a late timer costs, no more.
    this.#next = Math.max(planned, granted - MAX_LAG) + this.#interval;
  }
}
