/**
 * Tracks the limits and the health of one endpoint, and decides when it can take the next request.
 *
 * Considers requests in flight, requests per second, tokens per minute, pauses that the server imposed,
 * and whether the endpoint is down.
 *
 * @module
 */
import { FlexLLMError, HttpError, RateLimitError } from "../errors.ts";
import type { Usage } from "../usage.ts";
import { AdaptiveRate, type Sent } from "./adaptive_rate.ts";
import { Breaker } from "./breaker.ts";
import { ConcurrencyLimit } from "./concurrency_limit.ts";
import { RateLimiter, type RequestRate } from "./rate_limiter.ts";
import { type TokenDemand, type TokenHold, TokenLimiter, type TokenRate } from "./token_limiter.ts";

/** The limits of one endpoint. */
export interface EndpointLimitOptions {
  /** Maximum requests in flight. */
  concurrency: number;
  /** Maximum requests in flight at first, if `adaptive`. */
  initialConcurrency?: number;
  /** Maximum requests started in any second; `undefined` for no limit. */
  maxQps: number | undefined;
  /** Maximum tokens in any minute, input and output; `undefined` for no limit. */
  maxTpm: number | undefined;
  /** Whether to discover the server's own limits and stay below them. */
  adaptive: boolean;
  /** Consecutive failures after which the endpoint counts as down. */
  failureThreshold: number | undefined;
  /** Seconds until an endpoint that is down is probed; see {@link BreakerOptions.recoveryTime}. */
  recoveryTime: number | undefined;
  /** Limits shared with other endpoints. */
  shared?: SharedLimits;
  /** A number from 0 up to 1, for jitter. */
  random: () => number;
}

/** Limits shared by several endpoints. */
export interface SharedLimits {
  qps: RateLimiter | undefined;
  tpm: TokenLimiter | undefined;
}

/** Limits that hold for several processes together. They replace those of this process. */
export interface FleetLimits {
  qps: RequestRate | undefined;
  tpm: readonly TokenRate[];
  slots: SlotLimit | undefined;
}

/** A limit on requests in flight, over several processes. */
export interface SlotLimit {
  /** Whether another request can start; if not, a slot is requested. */
  isAvailable(): boolean;
  /** Takes a slot. */
  take(): void;
  /** Returns a slot. */
  release(): void;
}

/**
 * Milliseconds added to the second of a rate limit. Requests overtake each other on their way to the
 * server, which is where the limit applies.
 */
export const TRAVEL_SLACK = 50;

/** Seconds that an endpoint gets no requests after it rejected the key, the quota or the model. */
const REFUSED_COOLDOWN = 300;
/**
 * Longest pause that a server can ask for, in seconds. Some send the time of day in place of a duration, and
 * quotas are raised meanwhile: asking again costs one request.
 */
const MAX_PAUSE = 3600;
/** The weight of the newest answer in the average latency. */
const NEWEST = 0.2;

/** What an endpoint has done so far, for reports. */
interface EndpointRecord {
  answers: number;
  failures: number;
  rateLimited: number;
  /** Milliseconds. */
  latency: number | undefined;
  lastError: FlexLLMError | undefined;
}

/** The limits and the health of one endpoint. Times are in milliseconds. */
export class EndpointLimits {
  /** Maximum requests in flight, as configured. */
  readonly maxConcurrency: number;
  readonly #limit: ConcurrencyLimit;
  readonly #shares: {
    qps: readonly RateLimiter[];
    tpm: readonly TokenRate[];
    fleet: FleetLimits | undefined;
  };
  readonly #rate: AdaptiveRate | undefined;
  readonly #breaker: Breaker;
  readonly #isOnly: boolean;
  readonly #slots: { inFlight: number };
  readonly #options: EndpointLimitOptions;
  #pausedUntil = -Infinity;
  #answeredAt = -Infinity;
  #record: EndpointRecord = {
    answers: 0,
    failures: 0,
    rateLimited: 0,
    latency: undefined,
    lastError: undefined,
  };

  /**
   * @param isOnly whether there is no other endpoint to use instead
   * @param sibling another model at the same server, whose limits these also are
   */
  constructor(options: EndpointLimitOptions, isOnly: boolean, sibling?: EndpointLimits) {
    const { concurrency, initialConcurrency, adaptive, maxQps, maxTpm, shared } = options;
    this.#options = options;
    this.maxConcurrency = concurrency;
    this.#breaker = new Breaker(options);
    this.#isOnly = isOnly;
    if (sibling !== undefined) {
      this.#slots = sibling.#slots;
      this.#limit = sibling.#limit;
      this.#shares = sibling.#shares;
      this.#rate = sibling.#rate;
      return;
    }
    this.#slots = { inFlight: 0 };
    this.#limit = new ConcurrencyLimit(concurrency, adaptive, initialConcurrency);
    this.#shares = {
      qps: [maxQps === undefined ? undefined : new RateLimiter(maxQps, TRAVEL_SLACK), shared?.qps]
        .filter((limiter) => limiter !== undefined),
      tpm: [maxTpm === undefined ? undefined : new TokenLimiter(maxTpm), shared?.tpm]
        .filter((limiter) => limiter !== undefined),
      fleet: undefined,
    };
    this.#rate = adaptive ? new AdaptiveRate() : undefined;
  }

  /**
   * The limits of another model at the same server: slots and rates are the same, its health is its own, since
   * a missing or overloaded model says nothing about the others.
   */
  forAnotherModel(): EndpointLimits {
    return new EndpointLimits(this.#options, false, this);
  }

  /** Replaces the limits of this process by those that several processes share, before the first request. */
  share(limits: FleetLimits): void {
    this.#shares.qps = [];
    this.#shares.tpm = limits.tpm;
    this.#shares.fleet = limits;
  }

  /**
   * Continues the counts of another endpoint that this one replaces: those of requests that are still in flight
   * there, too.
   */
  continueRecord(replaced: EndpointLimits): void {
    this.#record = replaced.#record;
  }

  /** Requests in flight. */
  get inFlight(): number {
    return this.#slots.inFlight;
  }

  /** Current maximum of requests in flight; lower than configured while it adapts to the server. */
  get concurrency(): number {
    return this.#limit.current;
  }

  /** Requests per second that the server accepts, as measured; `Infinity` if no limit was found. */
  get rate(): number {
    return this.#rate?.perSecond ?? Infinity;
  }

  /** Whether tokens are limited, so that requests need an estimate. */
  get countsTokens(): boolean {
    return this.#shares.tpm.length > 0;
  }

  /** Average milliseconds per answer; `undefined` before the first. */
  get latency(): number | undefined {
    return this.#record.latency;
  }

  /** Requests that were answered. */
  get answers(): number {
    return this.#record.answers;
  }

  /** When a request was last answered; `-Infinity` before the first answer. */
  get answeredAt(): number {
    return this.#answeredAt;
  }

  /** Failed requests that were the endpoint's fault, including rate limits. */
  get failures(): number {
    return this.#record.failures;
  }

  /** Requests that were refused with a 429, among the failures. */
  get rateLimited(): number {
    return this.#record.rateLimited;
  }

  /** The last of the failures; `undefined` if there was none. */
  get lastError(): FlexLLMError | undefined {
    return this.#record.lastError;
  }

  /** When the pause that the server asked for ends; in the past if there is none. */
  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  /** `up`: it gets requests; `cooling`: it is paused; `probing`: one request tests whether it has recovered. */
  state(now: number): "up" | "cooling" | "down" | "probing" {
    if (this.#breaker.isDown) return this.#breaker.isProbing ? "probing" : "down";
    return this.#pausedUntil > now ? "cooling" : "up";
  }

  /**
   * When the next request can be sent after a failure or a pause: `Infinity` while a probe is in flight, in
   * the past if nothing holds requests back.
   */
  get retryAt(): number {
    return Math.max(this.#pausedUntil, this.#breaker.availableAt);
  }

  /** Milliseconds that it has been down, or until its pause ends; the larger of both. */
  unavailableFor(now: number): number {
    return Math.max(0, now - this.#breaker.downSince, this.#pausedUntil - now);
  }

  /** Whether it is down. */
  get isDown(): boolean {
    return this.#breaker.isDown;
  }

  /**
   * The earliest time at which a request can start: in the past if it can now, and `Infinity` if that
   * depends on a request in flight.
   *
   * @param evenIfDown whether to use the endpoint although it is down
   */
  availableAt(now: number, demand: TokenDemand, evenIfDown: boolean): number {
    if (this.#slots.inFlight >= this.#limit.current) return Infinity;
    let at = this.#pausedUntil;
    if (!evenIfDown) at = Math.max(at, this.#breaker.availableAt);
    const { qps, tpm, fleet } = this.#shares;
    for (const limiter of qps) at = Math.max(at, limiter.nextAt);
    if (fleet?.slots !== undefined && at <= now && !fleet.slots.isAvailable()) return Infinity;
    for (const limiter of tpm) at = Math.max(at, limiter.nextAt(now, demand));
    // Not during a pause: outcomes of earlier requests still arrive, and change the rate.
    if (this.#rate !== undefined && at <= now) at = Math.max(at, this.#rate.nextAt(now));
    // A shared rate is last: what is granted for a moment at which something else holds the request back is lost.
    if (fleet?.qps !== undefined && at <= now) at = Math.max(at, fleet.qps.availableAt(now));
    return at;
  }

  /** Starts a request; returns its number, for {@link Sent.order}. */
  begin(now: number): number {
    this.#slots.inFlight++;
    this.#breaker.begin();
    for (const limiter of this.#shares.qps) limiter.take(now);
    this.#shares.fleet?.qps?.take(now);
    this.#shares.fleet?.slots?.take();
    return this.#rate?.take(now) ?? 0;
  }

  /** Ends a request, whatever its outcome. */
  end(): void {
    this.#slots.inFlight--;
    this.#shares.fleet?.slots?.release();
  }

  /** Records that a request was answered. */
  answered(now: number, sent: Sent): void {
    this.#record.answers++;
    this.#answeredAt = now;
    const took = now - sent.at;
    this.#record.latency = this.#record.latency === undefined
      ? took
      : this.#record.latency + (took - this.#record.latency) * NEWEST;
    this.#rate?.accepted(sent);
    if (this.#breaker.answered()) this.#limit.restart(now);
    else this.#limit.answered(now, this.#slots.inFlight >= this.#limit.current);
  }

  /** Records the error of a request that was not answered. */
  failed(now: number, sent: Sent, error: unknown): void {
    const sentAt = sent.at;
    if (!(error instanceof FlexLLMError) || !error.endpointFault) {
      this.#breaker.inconclusive(sentAt);
      return;
    }
    this.#record.failures++;
    this.#record.lastError = error;
    if (error instanceof RateLimitError) return this.#refused(now, sent, error);
    if (error instanceof HttpError && (error.status === 529 || error.status === 503)) {
      this.#limit.overloaded(now, sentAt, this.#slots.inFlight, false);
      this.#pauseFor(now, error.retryAfter ?? 0);
    }
    // The server accepted the request, so it counts towards the measured rate.
    if (error.code === "http" || error.code === "malformed_response") this.#rate?.accepted(sent);
    // A slow failure shows how slow the endpoint is; a fast one shows nothing.
    if (this.#record.latency === undefined || now - sentAt > this.#record.latency) {
      this.#record.latency = now - sentAt;
    }
    if (!error.fatal) this.#breaker.failed(now, sentAt);
    else if (!this.#isOnly) this.#breaker.open(now, retryAfterOf(error) ?? REFUSED_COOLDOWN);
    else this.#breaker.inconclusive(sentAt);
  }

  #refused(now: number, sent: Sent, error: RateLimitError): void {
    const sentAt = sent.at;
    this.#record.rateLimited++;
    // A 429 proves the endpoint is up.
    this.#breaker.inconclusive(sentAt);
    if (error.concurrent) return this.#limit.overloaded(now, sentAt, this.#slots.inFlight, true);
    const { retryAfter } = error;
    this.#pauseFor(now, this.#rate?.refused(now, sent, retryAfter) ?? retryAfter ?? 0);
  }

  #pauseFor(now: number, seconds: number): void {
    const pause = Math.min(seconds, MAX_PAUSE);
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pause * 1000);
  }

  /** Records that the server accepts `remaining` more requests, and further ones in `wait` seconds. */
  observe(now: number, remaining: number, wait: number): void {
    // The server may not have counted the requests that are still in flight.
    if (remaining < this.#slots.inFlight) this.#pauseFor(now, wait);
  }

  /** Reserves the tokens of a request that starts; `undefined` if nothing limits them. */
  reserveTokens(now: number, demand: TokenDemand): readonly TokenHold[] | undefined {
    const { tpm } = this.#shares;
    if (tpm.length === 0) return undefined;
    return tpm.map((limiter) => limiter.take(now, demand));
  }

  /** Replaces reserved tokens by those that the request used; `null` counts the expected ones. */
  commitTokens(now: number, held: readonly TokenHold[], usage: Usage | null): void {
    const { tpm } = this.#shares;
    for (const [i, hold] of held.entries()) {
      if (usage === null) tpm[i].release(now, hold, hold.expected);
      else tpm[i].commit(now, hold, usage.promptTokens, usage.completionTokens);
    }
  }

  /** Releases the tokens of a request that used none. */
  releaseTokens(now: number, held: readonly TokenHold[]): void {
    for (const [i, hold] of held.entries()) this.#shares.tpm[i].release(now, hold);
  }
}

function retryAfterOf(error: FlexLLMError): number | undefined {
  const seconds = error instanceof HttpError ? error.retryAfter : undefined;
  return seconds === undefined ? undefined : Math.min(seconds, MAX_PAUSE);
}
