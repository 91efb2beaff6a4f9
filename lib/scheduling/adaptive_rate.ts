/**
 * Finds the rate that a server with a hidden limit takes, and stays close below it.
 *
 * Nothing is held back until the server first says "too fast". What it took in the time before that is
 * its limit; from then on requests are spaced a little slower than it. The rate climbs again, to find
 * out whether that is so; each time the limit is met where it was expected, the next attempt is put off
 * for longer.
 *
 * Refusals that come at any rate say nothing about a limit. So each time the rate is lowered, the next
 * outcomes are a trial: if going slower does not lower the share of refusals, that share is noise, and
 * the rate is free again.
 *
 * @module
 */
import { Outcomes } from "./outcomes.ts";
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
/** 429s up to max(3, 10 % of requests) are treated as noise; after a trial, half as much again as it saw. */
const FEW = 3;
const SPARSE = 0.1;
const NOISE_MARGIN = 1.5;
/** Refusals and outcomes after which a trial can end as noise, and outcomes after which it just ends. */
const TRIAL_REFUSALS = 3;
const TRIAL_OUTCOMES = 8;
const TRIAL_END = 100;
/** The share of requests that must succeed for refusals to count as random. */
const CHANCE = 0.4;
/** The share below which a wave shows that the limit is real. */
const REAL = 0.2;
/** A trial restarts when the rate falls below this fraction of its initial rate. */
const LOWER = 0.7;
/** Milliseconds in which a refusal comes, at least. */
const QUICK = 50;
/** Milliseconds in which a burst may have used up the limit. */
const WINDOW = 1000;
/** Outcomes needed for a meaningful share. */
const ENOUGH = 4;
/** Seconds that an endpoint pauses after a 429 without a wait time. */
const DEFAULT_COOLDOWN = 1;
/** Seconds up to which being asked to wait says nothing about the rate. */
const SHORT = 0.5;
/** The share of the known limit from which on what was taken confirms it. */
const CONFIRMED = 0.85;
/** How far two findings of the same limit may be apart. */
const SIMILAR = 0.25;
/** Requests a second when nothing at all was taken. */
const SLOWEST = 0.1;

/**
 * The requests in flight when one was refused: beyond a limit all of them are refused, at random only
 * some.
 */
class Wave {
  #refused = 0;

  /** Requests number `from` (exclusive) to `to`; all refusals have arrived by `dueAt`. */
  constructor(readonly from: number, readonly to: number, readonly dueAt: number) {}

  refuse(order: number): void {
    if (order > this.from && order <= this.to) this.#refused++;
  }

  /** How many it has. */
  get sent(): number {
    return this.to - this.from;
  }

  /** The share that was not refused; unknown when there were too few. */
  get accepted(): number | undefined {
    return this.sent < ENOUGH ? undefined : 1 - this.#refused / this.sent;
  }
}

/** A sent request: its time and number. */
export interface Sent {
  readonly at: number;
  readonly order: number;
}

/** Whether going slower helps: what becomes of requests after the rate was lowered, and in waves. */
class Trial {
  #sent = 0;
  #taken = 0;

  /** `rate` is the lowered one, `outcomes` counts what is sent at it. */
  constructor(readonly rate: number, readonly outcomes: Outcomes) {}

  /** Counts a wave in: one alone says little, since most waves are small. */
  add(sent: number, accepted: number): void {
    this.#sent += sent;
    this.#taken += sent * accepted;
  }

  /** The share that got through when others were refused. */
  get accepted(): number {
    return this.#sent === 0 ? CHANCE : this.#taken / this.#sent;
  }
}

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
  /** A refusal that is judged when requests may be sent again. */
  #refusal: { at: number; wait: number } | undefined;
  #refusedAt = -Infinity;
  #wave: Wave | undefined;
  /** Outcomes since the last evaluation. */
  #since = new Outcomes();
  /** What becomes of requests since the rate was lowered, and what share got through before. */
  #trial: Trial | undefined;
  /** The share of requests that is refused at any rate. */
  #noise = SPARSE;
  /** Until when the limit is exhausted, as far as is known. */
  #spentUntil = -Infinity;
  /** How many requests were sent, and when the first of them was. */
  #sent = 0;
  #firstAt = NaN;
  /** What was taken a second when a single request was refused last. */
  #suspect = NaN;

  /** Requests a second; `Infinity` as long as no limit has been met. */
  get perSecond(): number {
    return this.#perSecond;
  }

  /** The earliest moment at which the next request may begin. */
  nextAt(now: number): number {
    if (this.#refusal !== undefined) this.#assess(now);
    if (this.#wave !== undefined && now >= this.#wave.dueAt) this.#judgeWave(this.#wave);
    if (this.#limiter === undefined) return -Infinity;
    return Math.max(this.#spentUntil, this.#limiter.nextAt);
  }

  /** Starts a request; returns its number. */
  take(now: number): number {
    if (this.#sent++ === 0) this.#firstAt = now;
    if (this.#limiter !== undefined) {
      // A rate that is not fully used has not been tested, and could climb forever.
      if (this.#limiter.isUsed(now)) this.#climb(now);
      else this.#climbedAt = now;
      this.#limiter.take(now);
    }
    return this.#sent;
  }

  /** Records that a request was accepted. */
  taken({ at: begun }: Sent): void {
    this.#count(begun, true);
    const bucket = Math.floor(begun / BUCKET);
    const place = bucket % BUCKETS;
    if (this.#bucket[place] !== bucket) {
      this.#bucket[place] = bucket;
      this.#taken[place] = 0;
    }
    this.#taken[place]++;
  }

  /**
   * Records that a request was refused as too fast, to be retried in `wait` seconds if the server says so.
   * Returns the seconds for which nothing should be sent.
   */
  tooFast(now: number, { at, order }: Sent, wait: number | undefined): number {
    this.#count(at, false);
    this.#wave?.refuse(order);
    // Requests sent before the last refusal belong to the same event.
    const isNew = at >= this.#refusedAt;
    if (isNew) this.#wave ??= new Wave(order, this.#sent, now + Math.max(QUICK, 2 * (now - at)));
    const pause = wait ?? this.#ownPause(now);
    if (isNew) {
      this.#refusedAt = now;
      this.#refusal = { at, wait: pause };
    }
    return pause;
  }

  /** Seconds to pause when the server does not say for how long. */
  #ownPause(now: number): number {
    if (!this.#isNoise) return DEFAULT_COOLDOWN;
    if (this.#isLearned || this.#wave === undefined) return 0;
    // Until it is known whether the others are also refused.
    return (this.#wave.dueAt - now) / 1000;
  }

  #count(begun: number, isTaken: boolean): void {
    this.#since.count(begun, isTaken);
    if (this.#trial === undefined) return;
    const { accepted: before, outcomes } = this.#trial;
    outcomes.count(begun, isTaken);
    const { refused, total } = outcomes;
    if (total >= TRIAL_END) this.#trial = undefined;
    else if (refused >= TRIAL_REFUSALS && total >= TRIAL_OUTCOMES) {
      const accepted = outcomes.taken / total;
      // With a real limit, nearly everything would succeed by now.
      if (accepted >= CHANCE && accepted < (1 + before) / 2) this.#setFree(refused / total);
    }
  }

  /** Whether a trial has shown that refusals are random. */
  get #isLearned(): boolean {
    return this.#noise > SPARSE;
  }

  /** Whether no more is refused than at random. */
  get #isNoise(): boolean {
    const { refused, total } = this.#since;
    return refused <= Math.max(FEW, total * this.#noise);
  }

  /** Measures what was accepted before the refusal, and continues below it. */
  #assess(now: number): void {
    const { at, wait } = this.#refusal!;
    this.#refusal = undefined;
    const isNoise = this.#isNoise;
    // One among many, to come again at once: that is chance, or somebody else's doing.
    if (isNoise && (wait < SHORT || this.#isLearned)) return;
    this.#since = new Outcomes();
    this.#climbedAt = now;
    const window = Math.min(Math.max(wait, 1), BUCKETS * BUCKET / 1000);
    const taken = this.#takenBefore(at, window);
    if (taken === 0) {
      if (isNoise) return;
      const slower = Number.isFinite(this.#perSecond) ? this.#perSecond / 2 : 1;
      this.#set(Math.max(SLOWEST, slower));
      // Nothing is known of the limit, so the rate climbs at once.
      this.#limit = this.#perSecond / RAISED;
    } else {
      this.#judge(taken / window, isNoise, now);
    }
    if (this.#trial === undefined || this.#perSecond < this.#trial.rate * LOWER) {
      const outcomes = new Outcomes(Math.max(now, at + WINDOW));
      this.#trial = new Trial(this.#perSecond, outcomes);
    }
    if (wait < WINDOW / 1000) this.#spentUntil = Math.min(at + WINDOW, this.#wave?.dueAt ?? now);
  }

  /** Evaluates the requests that were in flight when one was refused. */
  #judgeWave(wave: Wave): void {
    this.#wave = undefined;
    const { accepted } = wave;
    if (accepted === undefined) return;
    // Random refusals can also come in a row.
    if (this.#isLearned && this.#isNoise) return;
    if (accepted < REAL) {
      if (this.#limiter === undefined) {
        const taken = this.#takenBefore(this.#refusedAt, WINDOW / 1000);
        if (taken > 0) this.#judge(taken * 1000 / WINDOW, false, wave.dueAt);
      }
      // It was the first of many: the limit is real, and exhausted for now.
      this.#trial = undefined;
      this.#spentUntil = this.#refusedAt + WINDOW;
      return;
    }
    if (this.#limiter === undefined) return;
    this.#trial?.add(wave.sent, accepted);
    const seconds = (wave.dueAt - this.#firstAt) / 1000;
    const sent = wave.to / Math.max(seconds, QUICK / 1000);
    // What a short interval accepted says little about a whole second.
    if (seconds < 1 && this.#perSecond < sent * accepted) this.#set(sent * accepted * MARGIN);
  }

  /** Lifts the limit: `noise` of the requests are refused at any rate. */
  #setFree(noise: number): void {
    this.#noise = Math.min(1, Math.max(SPARSE, noise * NOISE_MARGIN));
    this.#trial = undefined;
    this.#refusal = this.#wave = undefined;
    this.#spentUntil = -Infinity;
    this.#since = new Outcomes();
    this.#limiter = undefined;
    this.#perSecond = this.#limit = Infinity;
    this.#confirmed = 0;
    this.#suspect = NaN;
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
