/**
 * Which failures are tried again, and when: exponential backoff with full jitter, or what the
 * server asked for.
 *
 * Source of full jitter: AWS Architecture Blog, "Exponential Backoff And Jitter".
 *
 * @module
 */
import { FlexLLMError, HttpError, MalformedResponseError, RateLimitError } from "../errors.ts";

/** The longest wait of our own choosing, in seconds. */
const MAX_BACKOFF = 60;

/** The longest wait for a server that is loading its model, in seconds. */
const MAX_LOADING_BACKOFF = 5;

/** Whether the server only needs time, so that waiting does not use up the retries. */
function needsTime(error: FlexLLMError): boolean {
  return error instanceof RateLimitError || isLoading(error);
}

function isLoading(error: FlexLLMError): boolean {
  return error instanceof HttpError && error.loading;
}

/** When to try again. */
export interface RetryPolicy {
  /** How often a failed request is sent again. */
  retryTimes: number;
  /** Seconds before the first retry, on average half of it; doubles each time. */
  retryDelay: number;
  /** The longest time that one request waits for rate limits, or for an endpoint that is away. */
  maxWait: number;
}

/** What is known of the endpoint that a request failed at. */
export interface FailedAt {
  /** Seconds for which it has been down, when the request waits for it to recover. */
  downFor: number | undefined;
  /** It has answered other requests: its URL is right, and it speaks the format. */
  proven: boolean;
  /** The moment, in milliseconds. */
  now: number;
  /** When any endpoint last answered a request; `-Infinity` before the first answer. */
  answeredAt: number;
}

/** Whether the same request can be answered later. */
function canPass(error: FlexLLMError, proven: boolean): boolean {
  // A web page from where answers came before is that of a gateway in trouble.
  return error.retryable || (proven && error instanceof MalformedResponseError);
}

/** The failures of one request so far. */
export class Retries {
  readonly #policy: RetryPolicy;
  readonly #random: () => number;
  /** How often the request has failed. */
  failures = 0;
  /** Failures after which the server did not just need time. */
  #faults = 0;
  #rateLimitWait = 0;
  /** Since when rate limits were met. */
  #limitedSince: number | undefined;
  #shutOut = false;

  constructor(policy: RetryPolicy, random: () => number) {
    this.#policy = policy;
    this.#random = random;
  }

  /** Whether retries ended because nobody was answered for as long as a rate limit is waited for. */
  get shutOut(): boolean {
    return this.#shutOut;
  }

  /**
   * Seconds to wait before the next try after the failure `error`; `undefined` when there is to be no
   * further try. Being asked to come later is no fault, so it does not use up the retries: only its
   * time is limited. Nor does a failure of an endpoint that is away as a whole.
   */
  waitAfter(
    error: unknown,
    { downFor, proven, now, answeredAt }: FailedAt,
  ): number | undefined {
    this.failures++;
    if (!(error instanceof FlexLLMError) || !canPass(error, proven)) return undefined;
    if (this.#policy.retryTimes === 0) return undefined;
    // No backoff: the request re-queues and waits for the endpoint to recover.
    if (downFor !== undefined) {
      this.#shutOut = downFor > this.#policy.maxWait;
      return this.#shutOut ? undefined : 0;
    }
    const asked = error instanceof HttpError ? error.retryAfter : undefined;
    const most = isLoading(error) ? MAX_LOADING_BACKOFF : MAX_BACKOFF;
    const backoff = Math.min(most, this.#policy.retryDelay * 2 ** (this.failures - 1));
    // Requests with the same retry time must not all be sent at the same moment, and those that are
    // refused again and again must not hammer a server that says "at once".
    const spread = answeredAt > (this.#limitedSince ?? -Infinity) ? 1 : MAX_BACKOFF;
    const wait = asked === undefined
      ? this.#random() * backoff
      : asked + this.#random() * Math.min(spread, backoff);
    if (!needsTime(error)) {
      return ++this.#faults > this.#policy.retryTimes ? undefined : wait;
    }
    const { maxWait } = this.#policy;
    this.#limitedSince ??= now;
    const left = maxWait - (now - Math.max(this.#limitedSince, answeredAt)) / 1000;
    this.#shutOut = left <= 0 || left < (asked ?? 0);
    const rest = Math.max(Math.min(wait, left), 0.001);
    this.#rateLimitWait += rest;
    return this.#shutOut || this.#rateLimitWait > maxWait + 0.001 ? undefined : rest;
  }
}
