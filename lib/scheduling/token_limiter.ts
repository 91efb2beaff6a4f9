/**
 * Limits the tokens in any minute, and spreads them evenly over it.
 *
 * A request reserves the maximum it can take until its answer reports the actual number. What
 * it is expected to take decides how soon the next one may start.
 *
 * @module
 */

const MINUTE = 60_000;
/** The milliseconds that are counted together; a window lasts a minute and one such bucket. */
const BUCKET = 250;
/** The most that is made up for, in milliseconds. */
const MAX_LAG = 100;
/** The expected size of an answer before the first one arrives, if nothing limits it. */
const FIRST_COMPLETION = 1024;
/** After `ENOUGH` answers, the largest one times `MARGIN` bounds the next. */
const ENOUGH = 20;
const MARGIN = 1.25;
/** The weight of the newest answer in the average. */
const NEWEST = 0.05;

/** The tokens that a request asks for. */
export interface TokenDemand {
  /** About how many it reads. */
  prompt: number;
  /** The maximum of its answer; `undefined` if nothing limits it. */
  maxCompletion: number | undefined;
}

/** The tokens that one request holds. */
export interface TokenHold {
  /** What it is expected to take. */
  readonly expected: number;
  /** What is reserved for it. */
  readonly reserved: number;
}

/** The limit of tokens of one endpoint, or of several together. Times are in milliseconds. */
export class TokenLimiter {
  readonly #perMinute: number;
  /** Milliseconds that a token takes. */
  readonly #interval: number;
  #next = -Infinity;
  #answers = 0;
  /** The average answer. */
  #typical = 0;
  #largest = 0;
  /** Tokens of the last minute, by the time at which they were counted. */
  readonly #counted: { at: number; tokens: number }[] = [];
  #sum = 0;
  #reserved = 0;

  /** `perMinute` above 0. */
  constructor(perMinute: number) {
    this.#perMinute = perMinute;
    this.#interval = MINUTE / perMinute;
  }

  /**
   * The earliest moment at which a request may start; `Infinity` when it depends on the answers to
   * others. One that is larger than the limit starts when nothing else counts.
   */
  nextAt(now: number, demand: TokenDemand): number {
    this.#expire(now);
    const reserved = this.#bound(demand);
    let excess = this.#sum + this.#reserved + reserved - this.#perMinute;
    if (excess <= 0 || this.#sum + this.#reserved === 0) return this.#next;
    for (const { at, tokens } of this.#counted) {
      excess -= tokens;
      if (excess <= 0) return Math.max(this.#next, at + MINUTE + BUCKET);
    }
    return this.#reserved > 0 ? Infinity : Math.max(this.#next, this.#emptyAt);
  }

  /** Starts a request at `now`. */
  take(now: number, demand: TokenDemand): TokenHold {
    const reserved = this.#bound(demand);
    const completion = this.#answers === 0
      ? demand.maxCompletion ?? FIRST_COMPLETION
      : Math.min(this.#typical, demand.maxCompletion ?? Infinity);
    const expected = demand.prompt + completion;
    this.#next = Math.max(this.#next, now - MAX_LAG) + expected * this.#interval;
    this.#reserved += reserved;
    return { expected, reserved };
  }

  /** Ends a request that was answered: it read `prompt` and wrote `completion` tokens. */
  commit(now: number, hold: TokenHold, prompt: number, completion: number): void {
    this.#end(now, hold, prompt + completion);
    this.#typical += (completion - this.#typical) * (this.#answers === 0 ? 1 : NEWEST);
    this.#answers++;
    this.#largest = Math.max(this.#largest, completion);
  }

  /** Ends a request that took no tokens, or `tokens` by an estimate. */
  release(now: number, hold: TokenHold, tokens = 0): void {
    this.#end(now, hold, tokens);
  }

  /** The maximum that a request can use, as far as is known. */
  #bound({ prompt, maxCompletion }: TokenDemand): number {
    const seen = this.#answers < ENOUGH
      ? Math.max(FIRST_COMPLETION, this.#largest)
      : this.#largest * MARGIN;
    if (maxCompletion === undefined) return prompt + seen;
    return prompt + (this.#answers < ENOUGH ? maxCompletion : Math.min(maxCompletion, seen));
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
