/**
 * Token counts of a completion.
 *
 * @module
 */

/** Token counts of one completion, as reported by the provider. */
export interface Usage {
  /** Input tokens, including cached ones. */
  promptTokens: number;
  /** Output tokens, including reasoning. */
  completionTokens: number;
  /** Input and output tokens together. */
  totalTokens: number;
  /** The part of `promptTokens` read from the provider's prompt cache. */
  cachedTokens?: number;
  /** The part of `promptTokens` written to the provider's prompt cache. */
  cacheWriteTokens?: number;
  /** The part of `cacheWriteTokens` cached for an hour, which costs more. */
  cacheWriteHourTokens?: number;
  /** The part of `completionTokens` spent on thinking. */
  reasoningTokens?: number;
}
