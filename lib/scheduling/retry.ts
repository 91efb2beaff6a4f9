/**
 * Which failures are tried again, and when: exponential backoff with full jitter, or what the
 * server asked for.
 *
 * Source of full jitter: AWS Architecture Blog, "Exponential Backoff And Jitter".
 *
 * @module
 */
import { FlexLLMError, HttpError } from "../errors.ts";

/** The longest wait of our own choosing, in seconds. */
const MAX_BACKOFF = 60;

/** When to try again. */
export interface RetryPolicy {
  /** How often a failed request is sent again. */
  retryTimes: number;
  /** Seconds before the first retry, on average half of it; doubles each time. */
  retryDelay: number;
}

/**
 * Seconds to wait before the next try after `failures` failures, the last of them `error`;
 * `undefined` when there is to be no further try.
 */
export function retryWait(
  error: unknown,
  failures: number,
  policy: RetryPolicy,
  random: () => number,
): number | undefined {
  if (failures > policy.retryTimes) return undefined;
  if (!(error instanceof FlexLLMError) || !error.retryable) return undefined;
  const backoff = Math.min(MAX_BACKOFF, policy.retryDelay * 2 ** (failures - 1));
  const asked = error instanceof HttpError ? error.retryAfter : undefined;
  // Those who were told the same moment must not come back at the same moment.
  if (asked !== undefined) return asked + random() * Math.min(1, backoff);
  return random() * backoff;
}
