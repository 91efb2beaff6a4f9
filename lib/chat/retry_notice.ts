/**
 * Describes a failed attempt that is about to be retried.
 *
 * @module
 */

/** A failed attempt that is about to be retried. */
export interface RetryNotice {
  /** Why the attempt failed. */
  error: unknown;
  /** How many attempts have failed so far. */
  failures: number;
  /** Seconds until the next attempt. */
  wait: number;
}
