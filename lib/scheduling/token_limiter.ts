/**
 * Limits the tokens in any minute, and spreads them evenly over it.
 *
 * A request reserves the maximum that it can use until its answer reports the actual number. The number that
 * it is expected to use determines when the next request can start.
 *
 * @module
 */

const MINUTE = 60_000;
/** Milliseconds that are counted together; a window lasts a minute and one bucket. */
const BUCKET = 250;
/** Maximum delay that is made up for, in milliseconds. */
const MAX_LAG = 100;
/** The expected size of an answer before the first one arrives, if nothing limits it. */
const FIRST_COMPLETION = 1024;
/** After `ENOUGH` answers, the largest one times `MARGIN` bounds the next. */
const ENOUGH = 20;
const MARGIN = 1.25;
/** The weight of the newest answer in the average. */
const NEWEST = 0.05;

/** The tokens that a request needs. */
export interface TokenDemand {
  /** Its input tokens, estimated. */
  prompt: number;
  /** Maximum output tokens; `undefined` if nothing limits them. */
  maxCompletion: number | undefined;
}

/** The tokens reserved for one request. */
export interface TokenHold {
  /** The tokens that it is expected to use. */
  readonly expected: number;
  /** The maximum that it can use. */
  readonly reserved: number;
}

/** A limit on tokens per minute. Times are in milliseconds. */
export interface TokenRate {
  /**
   * The earliest time at which a request can start; `Infinity` if that depends on other answers. A request
   * above the limit starts when no other tokens count.
   */
  nextAt(now: number, demand: TokenDemand): number;
  /** Reserves the tokens of a request that starts. */
  take(now: number, demand: TokenDemand): TokenHold;
  /** Replaces the reserved tokens by those that the request used. */
  commit(now: number, hold: TokenHold, prompt: number, completion: number): void;
  /** Releases the reserved tokens of a request that used none, or an estimated number. */
  release(now: number, hold: TokenHold, tokens?: number): void;
}

/** Estimates from earlier answers how many tokens a request uses. */
export class TokenForecast {
  #answers = 0;
  /** Average output tokens. */
  #typical = 0;
  #largest = 0;

  /** The number of tokens that a request is expected to use. */
  expected({ prompt, maxCompletion }: TokenDemand): number {
    const completion = this.#answers === 0
      ? maxCompletion ?? FIRST_COMPLETION
      : Math.min(this.#typical, maxCompletion ?? Infinity);
    return prompt + completion;
  }

  /** The maximum that a request can use: its limit, or what answers so far suggest. */
  bound({ prompt, maxCompletion }: TokenDemand): number {
    const seen = this.#answers < ENOUGH
      ? Math.max(FIRST_COMPLETION, this.#largest)
      : this.#largest * MARGIN;
    if (maxCompletion === undefined) return prompt + seen;
    return prompt + (this.#answers < ENOUGH ? maxCompletion : Math.min(maxCompletion, seen));
  }

  /** Learns from the output tokens of an answer. */
  learn(completion: number): void {
    this.#typical += (completion - this.#typical) * (this.#answers === 0 ? 1 : NEWEST);
    this.#answers++;
    this.#largest = Math.max(this.#largest, completion);
  }
}

/** The token limit of one endpoint, or of several together. Times are in milliseconds. */
export class TokenLimiter implements TokenRate {
  readonly #perMinute: number;
  /** Milliseconds per token. */
  readonly #interval: number;
  readonly #forecast: TokenForecast;
  #next = -Infinity;
  /** Tokens of the last minute, by the time at which they were counted. */
  readonly #counted: { at: number; tokens: number }[] = [];
  #sum = 0;
  #reserved = 0;

  /** @param perMinute above 0 */
  constructor(perMinute: number, forecast: TokenForecast = new TokenForecast()) {
    this.#forecast = forecast;
    this.#perMinute = perMinute;
    this.#interval = MINUTE / perMinute;
  }

  nextAt(now: number, demand: TokenDemand): number {
    this.#expire(now);
    const reserved = this.#forecast.bound(demand);
    let excess = this.#sum + this.#reserved + reserved - this.#perMinute;
    if (excess <= 0 || this.#sum + this.#reserved === 0) return this.#next;
    for (const { at, tokens } of this.#counted) {
      excess -= tokens;
      if (excess <= 0) return Math.max(this.#next, at + MINUTE + BUCKET);
    }
    return this.#reserved > 0 ? Infinity : Math.max(this.#next, this.#emptyAt);
  }

  take(now: number, demand: TokenDemand): TokenHold {
    const reserved = this.#forecast.bound(demand);
    const expected = this.#forecast.expected(demand);
    this.#next = Math.max(this.#next, now - MAX_LAG) + expected * this.#interval;
    this.#reserved += reserved;
    return { expected, reserved };
  }

  commit(now: number, hold: TokenHold, prompt: number, completion: number): void {
    this.#end(now, hold, prompt + completion);
    this.#forecast.learn(completion);
  }

  release(now: number, hold: TokenHold, tokens = 0): void {
    this.#end(now, hold, tokens);
  }

  #end(now: number, { expected, reserved }: TokenHold, tokens: number): void {
    this.#next += (tokens - expected) * this.#interval;
    this.#reserved -= reserved;
    if (tokens <= 0) return;
    const last = this.#counted.at(-1);
    if (last !== undefined && now < last.at + BUCKET) last.tokens += tokens;
    else this.#counted.push({ at: now, tokens });
    this.#sum += tokens;
  }

  /** When everything counted so far has expired. */
  get #emptyAt(): number {
    return (this.#counted.at(-1)?.at ?? -Infinity) + MINUTE + BUCKET;
  }

  #expire(now: number): void {
    while (this.#counted.length > 0 && this.#counted[0].at + MINUTE + BUCKET <= now) {
      this.#sum -= this.#counted.shift()!.tokens;
    }
    if (this.#counted.length === 0) this.#sum = 0;
  }
}
