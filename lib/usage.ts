/**
 * Token counts of a completion.
 *
 * @module
 */

/** Tokens of one completion, counted by the provider. */
export interface Usage {
  /** Tokens read, with cached ones. */
  promptTokens: number;
  /** Tokens written, with reasoning ones. */
  completionTokens: number;
  /** Read and written. */
  totalTokens: number;
  /** Of `promptTokens`, those read from the provider's prompt cache. */
  cachedTokens?: number;
  /** Of `promptTokens`, those written to the provider's prompt cache. */
  cacheWriteTokens?: number;
  /** Of `cacheWriteTokens`, those that stay cached for an hour, which cost more. */
  cacheWriteHourTokens?: number;
  /** Of `completionTokens`, those spent on thinking. */
  reasoningTokens?: number;
}
