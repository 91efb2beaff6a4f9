/**
 * Decides when a request to one endpoint may begin: how many are in flight, how many a second, how
 * many tokens a minute, what the server has asked for, and whether it is there at all.
 *
 * @module
 */
import { FlexLLMError, HttpError, RateLimitError } from "../errors.ts";
import { AdaptiveRate, type Sent } from "./adaptive_rate.ts";
import { Breaker } from "./breaker.ts";
import { ConcurrencyLimit } from "./concurrency_limit.ts";
import { RateLimiter } from "./rate_limiter.ts";
import { type TokenDemand, type TokenHold, TokenLimiter } from "./token_limiter.ts";

/** The limits of one endpoint. */
export interface EndpointLimitOptions {
  /** The most requests in flight. */
  concurrency: number;
  /** The most requests begun in any second; no limit when `undefined`. */
  maxQps: number | undefined;
  /** The most tokens, read and written, in any minute; no limit when `undefined`. */
  maxTpm: number | undefined;
  /** Whether to find the server's own limits and stay below them. */
  adaptive: boolean;
  /** Failures in a row after which the endpoint counts as away. */
  failureThreshold: number | undefined;
  /** Seconds until it is tried again then. */
  recoveryTime: number | undefined;
  /** Limits that hold for several endpoints together. */
  shared?: SharedLimits;
  /** A number from 0 up to 1, for the jitter. */
  random: () => number;
}

/** Limits that several endpoints have together. */
export interface SharedLimits {
  qps: RateLimiter | undefined;
  tpm: TokenLimiter | undefined;
}

/** What {@link EndpointLimits.begin} gives where no tokens are counted. */
const NO_TOKENS: readonly TokenHold[] = [];

/**
 * Milliseconds by which requests may overtake each other on their way to the server. The limit applies
 * there, so we space requests by this much more.
 */
export const TRAVEL_SLACK = 50;

/** Seconds that an endpoint rests whose key, quota or model is refused. */
const REFUSED_REST = 300;
/** The weight of the newest answer in the average latency. */
const NEWEST = 0.2;

/** Whether another endpoint may do what this one did not: the request itself is not at fault. */
export function isEndpointFault(error: unknown): boolean {
  return error instanceof FlexLLMError && error.endpointFault;
}

/** The state of one endpoint. Times are in milliseconds. */
export class EndpointLimits {
  readonly #limit: ConcurrencyLimit;
  readonly #qps: readonly RateLimiter[];
  readonly #tpm: readonly TokenLimiter[];
  readonly #rate: AdaptiveRate | undefined;
  readonly #breaker: Breaker;
  readonly #isOnly: boolean;
  #inFlight = 0;
  /** The moment until which the server has asked everybody to wait. */
  #pausedUntil = -Infinity;
  #latency: number | undefined;
  #lastError: FlexLLMError | undefined;
  #answers = 0;
  #answeredAt = -Infinity;
  #failures = 0;

  /** `isOnly` says that there is no other endpoint to turn to. */
  constructor(options: EndpointLimitOptions, isOnly: boolean) {
    const { concurrency, adaptive, maxQps, maxTpm, shared } = options;
    this.#limit = new ConcurrencyLimit(concurrency, adaptive);
    this.#qps = [
      maxQps === undefined ? undefined : new RateLimiter(maxQps, TRAVEL_SLACK),
      shared?.qps,
    ]
      .filter((limiter) => limiter !== undefined);
    this.#tpm = [maxTpm === undefined ? undefined : new TokenLimiter(maxTpm), shared?.tpm]
      .filter((limiter) => limiter !== undefined);
    this.#rate = adaptive ? new AdaptiveRate() : undefined;
    this.#breaker = new Breaker(options);
    this.#isOnly = isOnly;
  }

  /** Requests in flight. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Requests that may be in flight now. */
  get concurrency(): number {
    return this.#limit.current;
  }

  /** Requests a second that the server was found to take; `Infinity` when no limit was met. */
  get rate(): number {
    return this.#rate?.perSecond ?? Infinity;
  }

  /** Whether tokens are counted, so that requests must say how many they have. */
  get countsTokens(): boolean {
    return this.#tpm.length > 0;
  }

  /** Average milliseconds to an answer; `undefined` before the first. */
  get latency(): number | undefined {
    return this.#latency;
  }

  /** Requests that were answered. */
  get answers(): number {
    return this.#answers;
  }

  /** When a request was last answered; `-Infinity` before the first. */
  get answeredAt(): number {
    return this.#answeredAt;
  }

  /** Requests that failed through the endpoint's fault, rate limits included. */
  get failures(): number {
    return this.#failures;
  }

  /** The last failure; `undefined` when there was none. */
  get lastError(): FlexLLMError | undefined {
    return this.#lastError;
  }

  /** Whether requests go to it, are held back for a while, or find out if it is back. */
  state(now: number): "up" | "cooling" | "down" | "probing" {
    if (this.#breaker.isDown) return this.#breaker.isProbing ? "probing" : "down";
    return this.#pausedUntil > now ? "cooling" : "up";
  }

  /**
   * When the next request may go after a failure or a pause that the server asked for; `Infinity` when
   * one is in flight to find out, in the past when nothing holds requests back.
   */
  get retryAt(): number {
    return Math.max(this.#pausedUntil, this.#breaker.availableAt);
  }

  /** Milliseconds for which nothing can be had from it: it is away since, or said to come later. */
  absence(now: number): number {
    return Math.max(0, now - this.#breaker.downSince, this.#pausedUntil - now);
  }

  /** Whether it counts as away. */
  get isDown(): boolean {
    return this.#breaker.isDown;
  }

  /**
   * The earliest moment at which a request may begin, in the past when it may now; `Infinity` when that
   * depends on one that is in flight.
   *
   * @param evenDown whether to go although the endpoint counts as away
   */
  availableAt(now: number, demand: TokenDemand, evenDown: boolean): number {
    if (this.#inFlight >= this.#limit.current) return Infinity;
    let at = this.#pausedUntil;
    if (!evenDown) at = Math.max(at, this.#breaker.availableAt);
    for (const limiter of this.#qps) at = Math.max(at, limiter.nextAt);
    for (const limiter of this.#tpm) at = Math.max(at, limiter.nextAt(now, demand));
    // Asked last: while there is a pause, answers to what was on its way still come in.
    if (this.#rate !== undefined && at <= now) at = Math.max(at, this.#rate.nextAt(now));
    return at;
  }

  /** Starts a request; returns when it was sent, and the tokens that it holds. */
  begin(at: number, demand: TokenDemand): Sent & { tokens: readonly TokenHold[] } {
    this.#inFlight++;
    this.#breaker.begin();
    for (const limiter of this.#qps) limiter.take(at);
    const order = this.#rate?.take(at) ?? 0;
    if (this.#tpm.length === 0) return { at, order, tokens: NO_TOKENS };
    return { at, order, tokens: this.#tpm.map((limiter) => limiter.take(at, demand)) };
  }

  /** Ends a request, whatever became of it. */
  end(): void {
    this.#inFlight--;
  }

  /** Records that a request was answered. */
  answered(now: number, sent: Sent): void {
    this.#answers++;
    this.#answeredAt = now;
    const took = now - sent.at;
    this.#latency = this.#latency === undefined
      ? took
      : this.#latency + (took - this.#latency) * NEWEST;
    this.#rate?.taken(sent);
    if (this.#breaker.answered()) this.#limit.restart(now);
    else this.#limit.answered(now, this.#inFlight >= this.#limit.current);
  }

  /** Records why a request was not answered. */
  failed(now: number, sent: Sent, error: unknown): void {
    const begun = sent.at;
    if (!(error instanceof FlexLLMError) || !isEndpointFault(error)) {
      this.#breaker.cancelled(begun);
      return;
    }
    this.#failures++;
    this.#lastError = error;
    if (error instanceof RateLimitError) return this.#refused(now, sent, error);
    if (error instanceof HttpError && (error.status === 529 || error.status === 503)) {
      this.#limit.tooMany(now, begun, this.#inFlight, false);
      this.#pauseFor(now, error.retryAfter ?? 0);
    }
    // It was let in, whatever became of it then.
    if (error.code === "http" || error.code === "malformed_response") this.#rate?.taken(sent);
    // A slow failure tells how slow the endpoint is, a fast one nothing.
    if (this.#latency === undefined || now - begun > this.#latency) this.#latency = now - begun;
    if (!error.fatal) this.#breaker.failed(now, begun);
    else if (!this.#isOnly) this.#breaker.open(now, retryAfterOf(error) ?? REFUSED_REST);
    else this.#breaker.cancelled(begun);
  }

  #refused(now: number, sent: Sent, error: RateLimitError): void {
    const begun = sent.at;
    // It is there, it only has no time.
    this.#breaker.cancelled(begun);
    if (error.concurrent) return this.#limit.tooMany(now, begun, this.#inFlight, true);
    const asked = error.retryAfter;
    this.#pauseFor(now, this.#rate?.tooFast(now, sent, asked) ?? asked ?? 0);
  }

  #pauseFor(now: number, seconds: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, now + seconds * 1000);
  }

  /** Notes that the server takes `remaining` more requests, and further ones in `wait` seconds. */
  observe(now: number, remaining: number, wait: number): void {
    // The others in flight may not be counted in it yet.
    if (remaining < this.#inFlight) this.#pauseFor(now, wait);
  }

  /** Replaces the tokens that an answered request holds by those that it took. */
  commitTokens(now: number, held: readonly TokenHold[], prompt: number, completion: number): void {
    for (const [i, hold] of held.entries()) this.#tpm[i].commit(now, hold, prompt, completion);
  }

  /** Releases the tokens that a request holds; counts the expected ones if it `mayHaveRun`. */
  releaseTokens(now: number, held: readonly TokenHold[], mayHaveRun: boolean): void {
    for (const [i, hold] of held.entries()) {
      this.#tpm[i].release(now, hold, mayHaveRun ? hold.expected : 0);
    }
  }
}

function retryAfterOf(error: FlexLLMError): number | undefined {
  return error instanceof HttpError ? error.retryAfter : undefined;
}
