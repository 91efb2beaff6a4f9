/**
 * Spaces requests evenly, and never allows more than the limit, rounded up, in any window of one second.
 *
 * @module
 */

/** Maximum delay of a timer, in milliseconds. A request that starts later than that was not waiting for it. */
const MAX_LAG = 20;
/** Maximum request times that are remembered; at higher rates the window is shorter than a second. */
const MAX_REMEMBERED = 10_000;

/** A limit on requests per second that several processes share. Times are in milliseconds. */
export interface RequestRate {
  /** The earliest time at which the next request can start; in the past if it can at `now`. */
  availableAt(now: number): number;
  /** Starts a request at `now`, which is not before {@link RequestRate.availableAt}. */
  take(now: number): void;
}

/**
 * Allows `perSecond` requests per second, evenly spaced. Makes up for timers that fire late, since no timer is
 * exact at high rates, but never exceeds the limit in any second, rounded up. Times are in milliseconds of the caller's
 * clock.
 */
export class RateLimiter {
  /** Milliseconds that count as one second. */
  readonly #second: number;
  #interval = 0;
  /** Times of the last requests: a ring with as many entries as the window allows. */
  #times = new Float64Array(0);
  /** Milliseconds in which no more requests are allowed than the ring holds. */
  #window = 1000;
  #oldest = 0;
  #next = -Infinity;

  /**
   * @param perSecond above 0; fractions are exact over time
   * @param slack milliseconds by which requests can overtake each other on their way, so that no second *at
   *   the server* exceeds the limit
   */
  constructor(perSecond: number, slack = 0) {
    this.#second = 1000 + slack;
    this.setRate(perSecond);
  }

  /** The limit. */
  get perSecond(): number {
    return this.#second / this.#interval;
  }

  /** Changes the limit; requests of the last second still count. */
  setRate(perSecond: number): void {
    // A second of a limit of 1.5 has one or two requests.
    const size = Math.min(MAX_REMEMBERED, Math.ceil(perSecond));
    this.#interval = this.#second / perSecond;
    const isWhole = size < MAX_REMEMBERED;
    this.#window = isWhole ? Math.max(this.#second, this.#interval) : size * this.#interval;
    const before = this.#times;
    if (size === before.length) return;
    const copied = Math.min(size, before.length);
    const times = new Float64Array(size).fill(-Infinity);
    for (let i = 0; i < copied; i++) {
      times[size - 1 - i] =
        before[(this.#oldest + before.length - 1 - i + before.length) % before.length];
    }
    this.#times = times;
    this.#oldest = 0;
  }

  /** The earliest time at which the next request can start; in the past if it can now. */
  get nextAt(): number {
    return Math.max(this.#next, this.#times[this.#oldest] + this.#window);
  }

  /** Whether at least half of the limit was used recently. */
  isUsed(now: number): boolean {
    return this.#times[this.#oldest] + 2 * this.#window >= now;
  }

  /** Starts a request at `now`, which is not before {@link nextAt}. */
  take(now: number): void {
    const planned = this.nextAt;
    // A late timer is made up for; idle time is not.
    this.#next = (now - planned > MAX_LAG ? now : planned) + this.#interval;
    this.#times[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % this.#times.length;
  }
}
