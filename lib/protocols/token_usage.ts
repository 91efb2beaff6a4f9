/**
 * Makes the token counts of OpenAI-compatible APIs consistent: every token is either a prompt or a completion
 * token, and the details are parts of these two counts.
 *
 * Sources: OpenAI API reference, `usage`; Mistral, "Audio" (`prompt_audio_seconds`); xAI, "Reasoning"
 * (reasoning is counted in addition to the completion); recorded answers of Gemini's compatible API,
 * Mistral and Azure, which count some tokens only in `total_tokens`.
 *
 * @module
 */
import type { Usage } from "../usage.ts";
import { asCount } from "../json/json.ts";

/** Token counts as a server sent them; values that are not numbers count as absent. */
export interface TokenCounts {
  prompt: unknown;
  completion: unknown;
  total: unknown;
  /** Part of `prompt`. */
  cached?: unknown;
  /** Part of `prompt`. */
  cacheWrite?: unknown;
  /** Part of `completion`, or in addition to it. */
  reasoning?: unknown;
  /** Whether `prompt` may lack the tokens of audio. */
  audio?: boolean;
}

/** No request has more tokens. A server that reports more has made a mistake. */
const MAX_TOKENS = 1e9;

/** `value` as a number of tokens; `undefined` if it cannot be one. */
export function asTokens(value: unknown): number | undefined {
  const count = asCount(value);
  return count === undefined || count > MAX_TOKENS ? undefined : Math.round(count);
}

/** The usage that `counts` add up to; `null` if nothing was counted. */
export function usageOf(counts: TokenCounts): Usage | null {
  const total = asTokens(counts.total);
  let prompt = asTokens(counts.prompt);
  let completion = asTokens(counts.completion);
  const reasoning = asTokens(counts.reasoning);
  if (prompt === undefined && completion === undefined && total === undefined) return null;
  prompt ??= Math.max(0, (total ?? 0) - (completion ?? 0));
  completion ??= Math.max(0, (total ?? 0) - prompt);
  const uncounted = (total ?? 0) - prompt - completion;
  const cached = asTokens(counts.cached);
  const cacheWrite = asTokens(counts.cacheWrite) ?? 0;
  if (uncounted > 0) {
    const isCached = uncounted === (cached ?? 0) + cacheWrite && uncounted !== reasoning;
    if (counts.audio || isCached) prompt += uncounted;
    else completion += uncounted;
  } else if (total === undefined && reasoning !== undefined && reasoning > completion) {
    completion += reasoning;
  }
  const usage: Usage = {
    promptTokens: prompt,
    completionTokens: completion,
    totalTokens: prompt + completion,
  };
  if (cached !== undefined) usage.cachedTokens = Math.min(cached, prompt);
  const written = Math.min(cacheWrite, prompt - (usage.cachedTokens ?? 0));
  if (written > 0) usage.cacheWriteTokens = written;
  if (reasoning !== undefined) usage.reasoningTokens = Math.min(reasoning, completion);
  return usage;
}
