/**
 * Defines the notice of a failed attempt that is about to be retried.
 *
 * @module
 */

/** A failed attempt that is about to be retried. */
export interface RetryNotice {
  /** The error of the attempt; usually a {@link FlexLLMError}. */
  error: unknown;
  /** The number of attempts that have failed so far. */
  failures: number;
  /** Seconds until the next attempt. */
  wait: number;
}
