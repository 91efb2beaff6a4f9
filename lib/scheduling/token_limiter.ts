/**
 * Spreads tokens evenly over time: no more than the limit in any minute, but for one request.
 *
 * @module
 */

/** The most that is made up for, in milliseconds. */
const MAX_LAG = 100;

/** What an answer is taken to have before the first one came. */
const FIRST_COMPLETION = 256;
/** The weight of the newest answer in the average. */
const NEWEST = 0.05;

/**
 * Lets a request go when the tokens of those before it have had their time. What a request will take
 * is estimated when it goes, and set right when it has been answered.
 */
export class TokenLimiter {
  /** Milliseconds that a token takes. */
  readonly #interval: number;
  #next = -Infinity;
  #completion = FIRST_COMPLETION;

  /** `perMinute` above 0. */
  constructor(perMinute: number) {
    this.#interval = 60_000 / perMinute;
  }

  /** The earliest moment at which the next request may begin. */
  get nextAt(): number {
    return this.#next;
  }

  /** Begins a request with about `promptTokens` at `now`; gives the tokens reckoned with. */
  take(now: number, promptTokens: number): number {
    const tokens = promptTokens + this.#completion;
    this.#next = Math.max(this.#next, now - MAX_LAG) + tokens * this.#interval;
    return tokens;
  }

  /** Sets a request for which `taken` tokens were reckoned with right: it had `prompt` and `completion`. */
  settle(taken: number, prompt: number, completion: number): void {
    this.#next += (prompt + completion - taken) * this.#interval;
    this.#completion += (completion - this.#completion) * NEWEST;
  }
}
