/**
 * Decides which failures are retried and when: with exponential backoff and full jitter, or as the server
 * requests.
 *
 * Source of full jitter: AWS Architecture Blog, "Exponential Backoff And Jitter".
 *
 * @module
 */
import { FlexLLMError, HttpError, MalformedResponseError, RateLimitError } from "../errors.ts";

/** Maximum backoff in seconds; the server may ask for more. */
const MAX_BACKOFF = 60;

/** Maximum backoff for a server that is loading its model, in seconds. */
const MAX_LOADING_BACKOFF = 5;

/** Whether the server only needs time. Waiting for it does not use up retries. */
function needsTime(error: FlexLLMError): boolean {
  return error instanceof RateLimitError || isLoading(error);
}

function isLoading(error: FlexLLMError): boolean {
  return error instanceof HttpError && error.loading;
}

/** How often and when a request is retried. Times are in seconds. */
export interface RetryPolicy {
  /** Maximum retries. */
  retryTimes: number;
  /** Maximum backoff before the first retry, on average half of it; doubles each time. */
  retryDelay: number;
  /** Maximum time that one request waits for rate limits, or for an endpoint that is down. */
  maxWait: number;
}

/** The circumstances of a failure. */
export interface FailureContext {
  /** Seconds that the endpoint has been down; `undefined` unless the request waits for its recovery. */
  downFor: number | undefined;
  /** Whether the endpoint has answered before, which proves that its URL and wire format are correct. */
  proven: boolean;
  /** Milliseconds. */
  now: number;
  /** When any endpoint last answered a request; `-Infinity` before the first answer. */
  answeredAt: number;
}

/** Whether the same request can succeed later. */
function isTransient(error: FlexLLMError, proven: boolean): boolean {
  // An endpoint that has answered before and now sends a web page has a broken gateway.
  return error.retryable || (proven && error instanceof MalformedResponseError);
}

/** Counts the failures of one request. */
export class Retries {
  readonly #policy: RetryPolicy;
  readonly #random: () => number;
  /** Failed attempts so far. */
  failures = 0;
  /** Failures that use up retries. */
  #faults = 0;
  #rateLimitWait = 0;
  /** The time of the first rate-limit error. */
  #limitedSince: number | undefined;
  #timedOut = false;

  constructor(policy: RetryPolicy, random: () => number) {
    this.#policy = policy;
    this.#random = random;
  }

  /** Whether retries ended because no request was answered within `maxWait`. */
  get timedOut(): boolean {
    return this.#timedOut;
  }

  /**
   * Returns the seconds to wait before the next attempt, or `undefined` if the request should not be
   * retried. Rate limits and endpoints that are down do not use up retries; only the waiting is limited.
   */
  waitAfter(
    error: unknown,
    { downFor, proven, now, answeredAt }: FailureContext,
  ): number | undefined {
    this.failures++;
    if (!(error instanceof FlexLLMError) || !isTransient(error, proven)) return undefined;
    if (this.#policy.retryTimes === 0) return undefined;
    // No backoff: the request re-queues and waits for the endpoint to recover.
    if (downFor !== undefined) {
      this.#timedOut = downFor > this.#policy.maxWait;
      return this.#timedOut ? undefined : 0;
    }
    const retryAfter = error instanceof HttpError ? error.retryAfter : undefined;
    const max = isLoading(error) ? MAX_LOADING_BACKOFF : MAX_BACKOFF;
    const backoff = Math.min(max, this.#policy.retryDelay * 2 ** (this.failures - 1));
    // Jitter keeps requests with the same Retry-After from being sent at the same time. It grows while the
    // server answers none of them, since some servers always say "retry after 0 seconds".
    const spread = answeredAt > (this.#limitedSince ?? -Infinity) ? 1 : MAX_BACKOFF;
    const wait = retryAfter === undefined
      ? this.#random() * backoff
      : retryAfter + this.#random() * Math.min(spread, backoff);
    if (!needsTime(error)) {
      return ++this.#faults > this.#policy.retryTimes ? undefined : wait;
    }
    const { maxWait } = this.#policy;
    this.#limitedSince ??= now;
    const left = maxWait - (now - Math.max(this.#limitedSince, answeredAt)) / 1000;
    this.#timedOut = left <= 0 || left < (retryAfter ?? 0);
    const limited = Math.max(Math.min(wait, left), 0.001);
    this.#rateLimitWait += limited;
    return this.#timedOut || this.#rateLimitWait > maxWait + 0.001 ? undefined : limited;
  }
}
