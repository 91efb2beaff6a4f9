/**
 * The default limits, timeouts and retries of clients and batches.
 *
 * @module
 */

/** Defaults of clients, the command line and the configuration. Times are in seconds. */
export const DEFAULTS = {
  /** Maximum number of requests in flight at one endpoint. */
  concurrency: 10,
  /** Maximum wait for rate limits and, in a batch, for an unreachable server. */
  maxWait: 600,
  /** Timeout of one attempt. */
  timeout: 120,
  /** Timeout of one attempt that requests thinking. */
  thinkingTimeout: 600,
  /** Maximum retries of a failed request. */
  retryTimes: 3,
  /** Delay before the first retry; doubles with each retry. */
  retryDelay: 1,
} as const;
