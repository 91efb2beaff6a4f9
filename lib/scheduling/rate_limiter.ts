/**
 * Spreads requests evenly over time: never more than the limit in any window of one second.
 *
 * @module
 */

/** How late a timer can be, in milliseconds; whoever comes later was not waiting. */
const MAX_LAG = 20;
/** The most grants that are remembered: at higher rates the window is shorter than a second. */
const MOST_REMEMBERED = 10_000;

/**
 * Grants `perSecond` requests a second, evenly spaced. A timer that fires late is made up for, since
 * at high rates no timer is exact, but never beyond the limit in any one second. Times are the
 * caller's, in milliseconds.
 */
export class RateLimiter {
  /** What counts as a second here. */
  readonly #second: number;
  #interval = 0;
  /** The moments of the last grants, a ring as long as the window may hold. */
  #granted = new Float64Array(0);
  /** Milliseconds in which no more may be granted than the ring holds. */
  #window = 1000;
  #oldest = 0;
  #next = -Infinity;

  /**
   * `perSecond` above 0; fractions are allowed.
   *
   * @param slack milliseconds by which requests may travel faster or slower than each other, so that no
   *   second *at the server* has more than the limit
   */
  constructor(perSecond: number, slack = 0) {
    this.#second = 1000 + slack;
    this.setRate(perSecond);
  }

  /** The limit. */
  get perSecond(): number {
    return this.#second / this.#interval;
  }

  /** Changes the limit; what was granted in the last second still counts. */
  setRate(perSecond: number): void {
    const size = Math.min(MOST_REMEMBERED, Math.max(1, Math.floor(perSecond)));
    this.#interval = this.#second / perSecond;
    const isWhole = size < MOST_REMEMBERED;
    this.#window = isWhole ? Math.max(this.#second, this.#interval) : size * this.#interval;
    const before = this.#granted;
    if (size === before.length) return;
    const kept = Math.min(size, before.length);
    const granted = new Float64Array(size).fill(-Infinity);
    for (let i = 0; i < kept; i++) {
      granted[size - 1 - i] =
        before[(this.#oldest + before.length - 1 - i + before.length) % before.length];
    }
    this.#granted = granted;
    this.#oldest = 0;
  }

  /** The earliest moment at which the next request may begin; in the past when it may now. */
  get nextAt(): number {
    return Math.max(this.#next, this.#granted[this.#oldest] + this.#window);
  }

  /** Whether at least half of what may be granted was, of late. */
  isUsed(now: number): boolean {
    return this.#granted[this.#oldest] + 2 * this.#window >= now;
  }

  /** Begins a request at `now`, which is not before {@link nextAt}. */
  take(now: number): void {
    const planned = this.nextAt;
    // What a late timer costs is made up for, idle time is not.
    this.#next = (now - planned > MAX_LAG ? now : planned) + this.#interval;
    this.#granted[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % this.#granted.length;
  }
}
