/**
 * Limits the requests in flight: to a fixed number or, when adaptive, to what the server can handle.
 *
 * The adaptive limit starts at 20, or an eighth of the maximum if that is more. It doubles with each round of
 * answers until the server first signals overload. From then on it grows by one per round, and shrinks by 30 %
 * when more than one answer in ten signals overload.
 *
 * @module
 */

/** The initial adaptive limit: the larger of a number and a share of the maximum. */
const START = 20;
const START_SHARE = 1 / 8;
/** Minimum milliseconds between two increases: answers that arrive at once do not show that the server copes. */
const ROUND = 100;
/** Overload signals needed before shrinking: at least 3, and 10 % of answers. */
const MIN_SIGNALS = 3;
const SIGNAL_SHARE = 0.1;
/** The new limit after an overload, as a share of the requests in flight. */
const DECREASE = 0.7;

/** The limit on requests in flight at one endpoint. */
export class ConcurrencyLimit {
  readonly #max: number;
  readonly #adaptive: boolean;
  #current: number;
  #doubling: boolean;
  /** Answers since the last change. */
  #answers = 0;
  /** Answers and overload signals since the last decrease. */
  #answersSinceDecrease = 0;
  #signals = 0;
  #changedAt = -Infinity;
  #decreasedAt = -Infinity;

  /** @param initial the limit at first, if it is adaptive; by default low */
  constructor(
    max: number,
    adaptive: boolean,
    initial = Math.max(START, Math.floor(max * START_SHARE)),
  ) {
    this.#max = max;
    this.#adaptive = adaptive;
    this.#doubling = adaptive;
    this.#current = adaptive ? Math.min(max, initial) : max;
  }

  /** The current limit. */
  get current(): number {
    return this.#current;
  }

  /** Records an answer; `isFull` says whether the limit was reached. */
  answered(now: number, isFull: boolean): void {
    this.#answersSinceDecrease++;
    if (this.#current >= this.#max || !isFull) return;
    if (++this.#answers < this.#current || now - this.#changedAt < ROUND) return;
    this.#change(this.#doubling ? this.#current * 2 : this.#current + 1, now);
  }

  /**
   * Records an overload signal for a request sent at `sentAt`, with `inFlight` requests in flight. If the
   * server does not state that concurrency is the cause (`isCertain`), several signals are needed.
   */
  overloaded(now: number, sentAt: number, inFlight: number, isCertain: boolean): void {
    // Requests sent before the last decrease belong to the same overload event.
    if (!this.#adaptive || sentAt < this.#decreasedAt) return;
    this.#doubling = false;
    this.#signals++;
    const needed = Math.max(MIN_SIGNALS, this.#answersSinceDecrease * SIGNAL_SHARE);
    if (!isCertain && this.#signals < needed) return;
    this.#answersSinceDecrease = this.#signals = 0;
    this.#decreasedAt = now;
    this.#change(Math.floor(Math.min(inFlight, this.#current) * DECREASE), now);
  }

  /** Starts over with a low limit: the endpoint was down, and many requests are waiting for it. */
  restart(now: number): void {
    this.#doubling = true;
    this.#change(Math.min(START, Math.ceil(this.#max / 4)), now);
  }

  #change(limit: number, now: number): void {
    this.#current = Math.min(Math.max(limit, 1), this.#max);
    this.#answers = 0;
    this.#changedAt = now;
  }
}
