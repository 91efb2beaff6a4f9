/**
 * Finds the rate that a server with a hidden limit takes, and stays close below it.
 *
 * Nothing is held back until the server first says "too fast". What it took in the time before that is
 * its limit; from then on requests are spaced a little slower than it. After some quiet time the rate
 * climbs slowly, to find out whether the limit has been raised; each time it has not, the next attempt
 * is put off for longer.
 *
 * @module
 */
import { RateLimiter } from "./rate_limiter.ts";

/** Milliseconds of one count. */
const BUCKET = 100;
/** How far back requests are counted, in buckets: a minute. */
const BUCKETS = 600;
/** The share of the limit that is used. */
const MARGIN = 0.97;
/** How the rate climbs, as shares of the limit a second: below it, and when it is probed. */
const RECOVERY = 0.1;
const PROBE = 0.01;
/** A rate this much above the known limit was never refused: the limit is another one. */
const RAISED = 1.2;
/** Seconds before the limit is probed, doubled up to the second each time it is found again. */
const FIRST_HOLD = 10;
const LAST_HOLD = 300;
/** Requests a second when nothing at all was taken. */
const SLOWEST = 0.1;

/** The adaptive rate of one endpoint. Times are in milliseconds. */
export class AdaptiveRate {
  /** Requests that were taken, by the time they began: a ring of buckets. */
  readonly #taken = new Float64Array(BUCKETS);
  /** Which bucket each place of the ring holds. */
  readonly #bucket = new Float64Array(BUCKETS).fill(-1);
  #limiter: RateLimiter | undefined;
  #perSecond = Infinity;
  /** What the server was last seen to take a second. */
  #limit = Infinity;
  #hold = FIRST_HOLD;
  #heldUntil = Infinity;
  #climbedAt = -Infinity;
  /** A refusal whose rate is reckoned when all that was on its way then is answered. */
  #refusal: { at: number; window: number } | undefined;
  #refusedAt = -Infinity;

  /** Requests a second; `Infinity` as long as no limit has been met. */
  get perSecond(): number {
    return this.#perSecond;
  }

  /** The earliest moment at which the next request may begin. */
  nextAt(now: number): number {
    if (this.#refusal !== undefined) this.#reckon(now);
    return this.#limiter === undefined ? -Infinity : this.#limiter.nextAt;
  }

  /** Begins a request. */
  take(now: number): void {
    if (this.#limiter === undefined) return;
    this.#climb(now);
    this.#limiter.take(now);
  }

  /** Notes that the request begun at `begun` was taken. */
  taken(begun: number): void {
    const bucket = Math.floor(begun / BUCKET);
    const place = bucket % BUCKETS;
    if (this.#bucket[place] !== bucket) {
      this.#bucket[place] = bucket;
      this.#taken[place] = 0;
    }
    this.#taken[place]++;
  }

  /** Notes that the request begun at `begun` came too fast, and may come again in `wait` seconds. */
  tooFast(now: number, begun: number, wait: number): void {
    // Those that were on their way already are the same occasion.
    if (begun < this.#refusedAt) return;
    this.#refusedAt = now;
    this.#refusal = { at: begun, window: Math.min(Math.max(wait, 1), BUCKETS * BUCKET / 1000) };
  }

  /** Finds what was taken in the window before the refusal, and goes on below it. */
  #reckon(now: number): void {
    const { at, window } = this.#refusal!;
    this.#refusal = undefined;
    const last = Math.floor(at / BUCKET);
    let taken = 0;
    for (let bucket = last; bucket > last - window * 1000 / BUCKET; bucket--) {
      const place = ((bucket % BUCKETS) + BUCKETS) % BUCKETS;
      if (this.#bucket[place] === bucket) taken += this.#taken[place];
    }
    const before = this.#limit;
    this.#climbedAt = now;
    if (taken === 0) {
      const slower = Number.isFinite(this.#perSecond) ? this.#perSecond / 2 : 1;
      this.#set(Math.max(SLOWEST, slower));
      // Nothing is known of the limit, so the rate climbs at once.
      this.#limit = this.#perSecond / RAISED;
      return;
    }
    this.#limit = taken / window;
    const found = Math.abs(this.#limit - before) < before * 0.1;
    this.#hold = found ? Math.min(this.#hold * 2, LAST_HOLD) : FIRST_HOLD;
    this.#heldUntil = now + this.#hold * 1000;
    this.#set(this.#limit * MARGIN);
  }

  /** At most a second's worth at once: who has not asked for long has not shown that it may. */
  #climb(now: number): void {
    const seconds = Math.min(1, (now - this.#climbedAt) / 1000);
    this.#climbedAt = now;
    const rate = this.#perSecond;
    if (rate >= this.#limit * RAISED) this.#set(rate * (1 + seconds));
    else if (now >= this.#heldUntil) this.#set(rate + seconds * this.#limit * PROBE);
    else if (rate < this.#limit * MARGIN) {
      this.#set(Math.min(this.#limit * MARGIN, rate + seconds * this.#limit * RECOVERY));
    }
  }

  #set(perSecond: number): void {
    this.#perSecond = perSecond;
    if (this.#limiter === undefined) this.#limiter = new RateLimiter(perSecond);
    else if (Math.abs(perSecond - this.#limiter.perSecond) > this.#limiter.perSecond / 100) {
      this.#limiter.setRate(perSecond);
    }
  }
}
