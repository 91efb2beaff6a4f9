/**
 * Limits the requests in flight: to a fixed number or, when adaptive, to what the server can handle.
 *
 * The adaptive limit starts at 20, or an eighth of the maximum if that is more. Until the server first signals
 * overload, it grows by one per answer, as the slow start of TCP does: it doubles in the time of one answer, but
 * requests never start in a burst, and slow answers do not hold it up. From then on it grows by one per round of
 * answers, and shrinks by 30 % when more than one answer in ten signals overload.
 *
 * @module
 */

/** The initial adaptive limit: the larger of a number and a share of the maximum. */
const START = 20;
const START_SHARE = 1 / 8;
/** Minimum milliseconds of a round: answers that arrive at once do not show that the server copes. */
const ROUND = 100;
/** The maximum factor by which the limit grows in one round. */
const GROWTH = 2;
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
  /** Whether the server has not signaled overload yet. */
  #isStarting: boolean;
  /** The limit when the round began. */
  #atStart: number;
  #startedAt = -Infinity;
  /** Answers in this round while the limit was reached. */
  #answers = 0;
  /** Answers and overload signals since the last decrease. */
  #answersSinceDecrease = 0;
  #signals = 0;
  #decreasedAt = -Infinity;

  /** @param initial the limit at first, if it is adaptive; by default low */
  constructor(
    max: number,
    adaptive: boolean,
    initial = Math.max(START, Math.floor(max * START_SHARE)),
  ) {
    this.#max = max;
    this.#adaptive = adaptive;
    this.#isStarting = adaptive;
    this.#current = this.#atStart = adaptive ? Math.min(max, initial) : max;
  }

  /** The current limit. */
  get current(): number {
    return this.#current;
  }

  /** Records an answer; `isFull` says whether the limit was reached. */
  answered(now: number, isFull: boolean): void {
    this.#answersSinceDecrease++;
    if (this.#current >= this.#max) return;
    const isOver = now - this.#startedAt >= ROUND;
    if (this.#isStarting && isOver) this.#startRound(this.#current, now);
    if (isFull) this.#answers++;
    if (this.#isStarting) {
      // Answers that arrive together are counted before their slots are used again, so one full moment is enough.
      if (this.#answers > 0 && this.#current < this.#atStart * GROWTH) this.#current++;
    } else if (isFull && isOver && this.#answers >= this.#current) {
      this.#startRound(this.#current + 1, now);
    }
  }

  /**
   * Records an overload signal for a request sent at `sentAt`, with `inFlight` requests in flight. If the
   * server does not state that concurrency is the cause (`isCertain`), several signals are needed.
   */
  overloaded(now: number, sentAt: number, inFlight: number, isCertain: boolean): void {
    // Requests sent before the last decrease belong to the same overload event.
    if (!this.#adaptive || sentAt < this.#decreasedAt) return;
    this.#isStarting = false;
    this.#signals++;
    const needed = Math.max(MIN_SIGNALS, this.#answersSinceDecrease * SIGNAL_SHARE);
    if (!isCertain && this.#signals < needed) return;
    this.#answersSinceDecrease = this.#signals = 0;
    this.#decreasedAt = now;
    this.#startRound(Math.floor(Math.min(inFlight, this.#current) * DECREASE), now);
  }

  /** Starts over with a low limit: the endpoint was down, and many requests are waiting for it. */
  restart(now: number): void {
    this.#isStarting = true;
    this.#startRound(Math.min(START, Math.ceil(this.#max / 4)), now);
  }

  #startRound(limit: number, now: number): void {
    this.#current = this.#atStart = Math.min(Math.max(limit, 1), this.#max);
    this.#answers = 0;
    this.#startedAt = now;
  }
}
