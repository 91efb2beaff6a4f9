/**
 * Converts token counts to the field names of a result file and back.
 *
 * @module
 */
import type { Usage } from "../../usage.ts";

/** Token counts in a result file. */
export interface RecordUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  cached_tokens?: number;
  cache_write_tokens?: number;
  cache_write_hour_tokens?: number;
  reasoning_tokens?: number;
}

/** Token counts as fields of a line; `undefined` fields are not written. */
export function encodeUsage(usage: Usage): RecordUsage {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.totalTokens,
    cached_tokens: usage.cachedTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    cache_write_hour_tokens: usage.cacheWriteHourTokens,
    reasoning_tokens: usage.reasoningTokens,
  };
}

/** Token counts of a line. Absent counts stay absent. */
export function decodeUsage(usage: RecordUsage): Usage {
  const decoded: Usage = {
    promptTokens: usage.prompt_tokens,
    completionTokens: usage.completion_tokens,
    totalTokens: usage.total_tokens,
  };
  if (usage.cached_tokens !== undefined) decoded.cachedTokens = usage.cached_tokens;
  if (usage.cache_write_tokens !== undefined) decoded.cacheWriteTokens = usage.cache_write_tokens;
  if (usage.cache_write_hour_tokens !== undefined) {
    decoded.cacheWriteHourTokens = usage.cache_write_hour_tokens;
  }
  if (usage.reasoning_tokens !== undefined) decoded.reasoningTokens = usage.reasoning_tokens;
  return decoded;
}
