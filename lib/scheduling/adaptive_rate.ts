/**
 * Finds the rate that a server with a hidden limit takes, and stays close below it.
 *
 * Nothing is held back until the server first says "too fast". What it took in the time before that is
 * its limit; from then on requests are spaced a little slower than it. The rate climbs again, to find
 * out whether that is so; each time the limit is met where it was expected, the next attempt is put off
 * for longer. Refusals that come at any rate say nothing about a limit, and change nothing but the
 * moment.
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
/** How the rate climbs, as shares of the limit a second: until that is confirmed, and after. */
const SEARCH = 0.1;
const PROBE = 0.01;
/** A rate this much above the known limit was never refused: the limit is another one. */
const RAISED = 1.2;
/** Seconds before a confirmed limit is probed, doubled up to the second with each confirmation. */
const FIRST_HOLD = 10;
const LAST_HOLD = 300;
/** How many refusals count as single ones: so many, or so many for each request that was taken. */
const FEW = 3;
const SPARSE = 0.1;
/** Seconds up to which being asked to wait says nothing about the rate. */
const SHORT = 0.5;
/** The share of the known limit from which on what was taken confirms it. */
const CONFIRMED = 0.85;
/** How far two findings of the same limit may be apart. */
const SIMILAR = 0.25;
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
  /** How often the limit was met again where it was expected. */
  #confirmed = 0;
  #heldUntil = Infinity;
  #climbedAt = -Infinity;
  /** A refusal whose rate is reckoned when all that was on its way then is answered. */
  #refusal: { at: number; wait: number } | undefined;
  #refusedAt = -Infinity;
  /** What became of requests since the last reckoning. */
  #takenSince = 0;
  #refusedSince = 0;
  /** What was taken a second when a single request was refused last. */
  #suspect = NaN;

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
    // A rate that is not used up has not been tried, and could climb for ever.
    if (this.#limiter.isUsed(now)) this.#climb(now);
    else this.#climbedAt = now;
    this.#limiter.take(now);
  }

  /** Notes that the request begun at `begun` was taken. */
  taken(begun: number): void {
    this.#takenSince++;
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
    this.#refusedSince++;
    // Those that were on their way already are the same occasion.
    if (begun < this.#refusedAt) return;
    this.#refusedAt = now;
    this.#refusal = { at: begun, wait };
  }

  /** Finds what was taken in the time before the refusal, and goes on below it. */
  #reckon(now: number): void {
    const { at, wait } = this.#refusal!;
    this.#refusal = undefined;
    const isSparse = this.#refusedSince <= Math.max(FEW, this.#takenSince * SPARSE);
    // One among many, to come again at once: that is chance, or somebody else's doing.
    if (isSparse && wait < SHORT) return;
    this.#takenSince = this.#refusedSince = 0;
    this.#climbedAt = now;
    const window = Math.min(Math.max(wait, 1), BUCKETS * BUCKET / 1000);
    const taken = this.#takenBefore(at, window);
    if (taken === 0) {
      if (isSparse) return;
      const slower = Number.isFinite(this.#perSecond) ? this.#perSecond / 2 : 1;
      this.#set(Math.max(SLOWEST, slower));
      // Nothing is known of the limit, so the rate climbs at once.
      this.#limit = this.#perSecond / RAISED;
      return;
    }
    this.#judge(taken / window, isSparse, now);
  }

  /** Decides what it means that the server took `found` requests a second and refused the next. */
  #judge(found: number, isSparse: boolean, now: number): void {
    const { limit, suspect } = { limit: this.#limit, suspect: this.#suspect };
    const isLess = found < limit * CONFIRMED;
    const isAgain = Math.abs(found - suspect) < found * SIMILAR;
    this.#suspect = found;
    if (!isSparse || (isLess && isAgain)) {
      this.#limit = found;
      this.#confirmed = 0;
    } else if (isLess || this.#perSecond <= limit * MARGIN * 1.005) {
      // Not faster than before, and refused all the same: that is chance, until it happens again.
      this.#confirmed = 0;
      this.#heldUntil = now;
      return;
    } else if (found > limit * RAISED) {
      this.#limit = found;
      this.#confirmed = 0;
    } else {
      this.#confirmed++;
    }
    const hold = this.#confirmed === 0 ? 0 : FIRST_HOLD * 2 ** (this.#confirmed - 1);
    this.#heldUntil = now + Math.min(hold, LAST_HOLD) * 1000;
    this.#set(this.#limit * MARGIN);
  }

  /** How many requests were taken in the `window` seconds before `at`. */
  #takenBefore(at: number, window: number): number {
    const last = Math.floor(at / BUCKET);
    let taken = 0;
    for (let bucket = last; bucket > last - window * 1000 / BUCKET; bucket--) {
      const place = ((bucket % BUCKETS) + BUCKETS) % BUCKETS;
      if (this.#bucket[place] === bucket) taken += this.#taken[place];
    }
    return taken;
  }

  /** At most a second's worth at once: who has not asked for long has not shown that it may. */
  #climb(now: number): void {
    const seconds = Math.min(1, (now - this.#climbedAt) / 1000);
    this.#climbedAt = now;
    const rate = this.#perSecond;
    if (rate >= this.#limit * RAISED) this.#set(rate * (1 + seconds));
    else if (now >= this.#heldUntil) {
      this.#set(rate + seconds * this.#limit * (this.#confirmed === 0 ? SEARCH : PROBE));
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
