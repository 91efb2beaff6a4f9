/**
 * Discovers the hidden rate limit of a server and stays just below it.
 *
 * Requests are not limited until the server first returns a 429. The rate that it accepted before is taken as
 * its limit, and requests are then spaced slightly below it. The rate climbs again to test the limit; each time
 * the limit is confirmed, the next test comes later.
 *
 * Some servers refuse requests at any rate. So each time the rate is lowered, a trial compares the outcomes:
 * if going slower does not reduce the share of refusals, that share is noise and the rate is unlimited again.
 *
 * @module
 */
import { AcceptedRequests, HISTORY } from "./accepted_requests.ts";
import { Outcomes } from "./outcomes.ts";
import { RateLimiter } from "./rate_limiter.ts";
import { RateTrial } from "./rate_trial.ts";
import { RefusalWave } from "./refusal_wave.ts";

/** The share of the limit that is used. */
const MARGIN = 0.97;
/** How fast the rate climbs, as a share of the limit per second: before the limit is confirmed, and after. */
const SEARCH = 0.1;
const PROBE = 0.01;
/** A rate this far above the known limit without a refusal shows that the limit has been raised. */
const RAISED = 1.2;
/** Seconds before a confirmed limit is tested again: the first and the maximum; doubled each time. */
const FIRST_HOLD = 10;
const MAX_HOLD = 300;
/** 429s up to max(3, 10 % of requests) are treated as noise; after a trial, up to 1.5 times its share. */
const NOISE_COUNT = 3;
const NOISE_SHARE = 0.1;
const NOISE_MARGIN = 1.5;
/** If less than this share of a wave is accepted, the limit is real. */
const REAL = 0.2;
/** A trial restarts when the rate falls below this share of its initial rate. */
const LOWER = 0.7;
/** Minimum milliseconds in which refusals arrive. */
const QUICK = 50;
/** Milliseconds in which a burst can exhaust the limit. */
const WINDOW = 1000;
/** Seconds that an endpoint pauses after a 429 without a wait time. */
const DEFAULT_COOLDOWN = 1;
/** A 429 with a wait shorter than this, in seconds, says nothing about the rate. */
const SHORT = 0.5;
/** The share of the known limit that must have been accepted to confirm it. */
const CONFIRMED = 0.85;
/** Maximum relative difference between two measurements of the same limit. */
const SIMILAR = 0.25;
/** Requests per second if nothing was accepted at all. */
const SLOWEST = 0.1;

/** A sent request: when it was sent, in milliseconds, and its number. */
export interface Sent {
  readonly at: number;
  readonly order: number;
}

/** The adaptive rate of one endpoint. Times are in milliseconds. */
export class AdaptiveRate {
  readonly #history = new AcceptedRequests();
  #limiter: RateLimiter | undefined;
  #perSecond = Infinity;
  /** Requests per second that the server was last seen to accept. */
  #limit = Infinity;
  /** How often the limit was confirmed. */
  #confirmed = 0;
  #heldUntil = Infinity;
  #climbedAt = -Infinity;
  /** A refusal that is evaluated when requests can be sent again. */
  #refusal: { at: number; wait: number } | undefined;
  #refusedAt = -Infinity;
  #wave: RefusalWave | undefined;
  /** Outcomes since the last evaluation. */
  #outcomes = new Outcomes();
  #trial: RateTrial | undefined;
  /** The share of requests that is refused at any rate. */
  #noise = NOISE_SHARE;
  /** The time until which the limit is exhausted. */
  #exhaustedUntil = -Infinity;
  /** Requests sent so far, and when the first of them was sent. */
  #sent = 0;
  #firstAt = NaN;
  /** Requests per second that were accepted before the last single refusal. */
  #suspect = NaN;

  /** Requests per second; `Infinity` until a limit was found. */
  get perSecond(): number {
    return this.#perSecond;
  }

  /** The earliest time at which the next request can start. */
  nextAt(now: number): number {
    if (this.#refusal !== undefined) this.#evaluateRefusal(now);
    if (this.#wave !== undefined && now >= this.#wave.dueAt) this.#evaluateWave(this.#wave);
    if (this.#limiter === undefined) return -Infinity;
    return Math.max(this.#exhaustedUntil, this.#limiter.nextAt);
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
  accepted({ at }: Sent): void {
    this.#count(at, true);
    this.#history.add(at);
  }

  /**
   * Records that a request was refused with a 429. Returns the seconds for which nothing should be sent.
   *
   * @param wait the seconds that the server asked for, if it did
   */
  refused(now: number, { at, order }: Sent, wait: number | undefined): number {
    this.#count(at, false);
    this.#wave?.refuse(order);
    // Requests sent before the last refusal belong to the same event.
    const isNew = at >= this.#refusedAt;
    if (isNew) {
      this.#wave ??= new RefusalWave(order, this.#sent, now + Math.max(QUICK, 2 * (now - at)));
    }
    const pause = wait ?? this.#defaultPause(now);
    if (isNew) {
      this.#refusedAt = now;
      this.#refusal = { at, wait: pause };
    }
    return pause;
  }

  /** Seconds to pause if the server does not say how long. */
  #defaultPause(now: number): number {
    if (!this.#isNoise) return DEFAULT_COOLDOWN;
    if (this.#isNoiseProven || this.#wave === undefined) return 0;
    // Until it is known whether the other requests in flight are refused as well.
    return (this.#wave.dueAt - now) / 1000;
  }

  #count(sentAt: number, isAccepted: boolean): void {
    this.#outcomes.count(sentAt, isAccepted);
    if (this.#trial === undefined) return;
    const noise = this.#trial.count(sentAt, isAccepted);
    if (noise !== undefined) this.#lift(noise);
    else if (this.#trial.isOver) this.#trial = undefined;
  }

  /** Whether a trial has shown that refusals are random. */
  get #isNoiseProven(): boolean {
    return this.#noise > NOISE_SHARE;
  }

  /** Whether there are no more refusals than random ones. */
  get #isNoise(): boolean {
    const { refused, total } = this.#outcomes;
    return refused <= Math.max(NOISE_COUNT, total * this.#noise);
  }

  /** Measures the rate that was accepted before the refusal, and continues below it. */
  #evaluateRefusal(now: number): void {
    const { at, wait } = this.#refusal!;
    this.#refusal = undefined;
    const isNoise = this.#isNoise;
    // A single refusal with a short wait is chance, or caused by another client.
    if (isNoise && (wait < SHORT || this.#isNoiseProven)) return;
    this.#outcomes = new Outcomes();
    this.#climbedAt = now;
    const window = Math.min(Math.max(wait, 1), HISTORY);
    const accepted = this.#history.before(at, window);
    if (accepted === 0) {
      if (isNoise) return;
      const slower = Number.isFinite(this.#perSecond) ? this.#perSecond / 2 : 1;
      this.#setRate(Math.max(SLOWEST, slower));
      // Nothing is known of the limit, so the rate climbs at once.
      this.#limit = this.#perSecond / RAISED;
    } else {
      this.#evaluateRate(accepted / window, isNoise, now);
    }
    if (this.#trial === undefined || this.#perSecond < this.#trial.rate * LOWER) {
      this.#trial = new RateTrial(this.#perSecond, Math.max(now, at + WINDOW));
    }
    if (wait < WINDOW / 1000) {
      this.#exhaustedUntil = Math.min(at + WINDOW, this.#wave?.dueAt ?? now);
    }
  }

  /** Evaluates the requests that were in flight when one was refused. */
  #evaluateWave(wave: RefusalWave): void {
    this.#wave = undefined;
    const { acceptedShare } = wave;
    if (acceptedShare === undefined) return;
    // Random refusals can also come in a row.
    if (this.#isNoiseProven && this.#isNoise) return;
    if (acceptedShare < REAL) {
      if (this.#limiter === undefined) {
        const accepted = this.#history.before(this.#refusedAt, WINDOW / 1000);
        if (accepted > 0) this.#evaluateRate(accepted * 1000 / WINDOW, false, wave.dueAt);
      }
      // The first refusal of many: the limit is real, and exhausted for now.
      this.#trial = undefined;
      this.#exhaustedUntil = this.#refusedAt + WINDOW;
      return;
    }
    if (this.#limiter === undefined) return;
    this.#trial?.addWave(wave.sent, acceptedShare);
    const seconds = (wave.dueAt - this.#firstAt) / 1000;
    const sent = wave.to / Math.max(seconds, QUICK / 1000);
    // A measurement over less than a second is imprecise.
    if (seconds < 1 && this.#perSecond < sent * acceptedShare) {
      this.#setRate(sent * acceptedShare * MARGIN);
    }
  }

  /** Lifts the limit, because a share of `noise` of the requests is refused at any rate. */
  #lift(noise: number): void {
    this.#noise = Math.min(1, Math.max(NOISE_SHARE, noise * NOISE_MARGIN));
    this.#trial = undefined;
    this.#refusal = this.#wave = undefined;
    this.#exhaustedUntil = -Infinity;
    this.#outcomes = new Outcomes();
    this.#limiter = undefined;
    this.#perSecond = this.#limit = Infinity;
    this.#confirmed = 0;
    this.#suspect = NaN;
  }

  /** Decides what it means that the server accepted `rate` requests per second and refused the next one. */
  #evaluateRate(rate: number, isNoise: boolean, now: number): void {
    const [limit, suspect] = [this.#limit, this.#suspect];
    const isLower = rate < limit * CONFIRMED;
    const isRepeated = Math.abs(rate - suspect) < rate * SIMILAR;
    this.#suspect = rate;
    if (!isNoise || (isLower && isRepeated)) {
      this.#limit = rate;
      this.#confirmed = 0;
    } else if (isLower || this.#perSecond <= limit * MARGIN * 1.005) {
      // Refused although it was no faster than before: chance, until it happens again.
      this.#confirmed = 0;
      this.#heldUntil = now;
      return;
    } else if (rate > limit * RAISED) {
      this.#limit = rate;
      this.#confirmed = 0;
    } else {
      this.#confirmed++;
    }
    const hold = this.#confirmed === 0 ? 0 : FIRST_HOLD * 2 ** (this.#confirmed - 1);
    this.#heldUntil = now + Math.min(hold, MAX_HOLD) * 1000;
    this.#setRate(this.#limit * MARGIN);
  }

  /** An idle period proves nothing about the limit, so the rate climbs at most one second's worth. */
  #climb(now: number): void {
    const seconds = Math.min(1, (now - this.#climbedAt) / 1000);
    this.#climbedAt = now;
    const rate = this.#perSecond;
    if (rate >= this.#limit * RAISED) this.#setRate(rate * (1 + seconds));
    else if (now >= this.#heldUntil) {
      this.#setRate(rate + seconds * this.#limit * (this.#confirmed === 0 ? SEARCH : PROBE));
    }
  }

  #setRate(perSecond: number): void {
    this.#perSecond = perSecond;
    if (this.#limiter === undefined) this.#limiter = new RateLimiter(perSecond);
    else if (Math.abs(perSecond - this.#limiter.perSecond) > this.#limiter.perSecond / 100) {
      this.#limiter.setRate(perSecond);
    }
  }
}
