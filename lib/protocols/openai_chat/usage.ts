/**
 * Decodes usage and cost in answers of Chat Completions.
 *
 * Sources: OpenAI API reference, `usage`; DeepSeek, "Context Caching" (`prompt_cache_hit_tokens`);
 * Mistral (`num_cached_tokens`); Moonshot (`cached_tokens`, and `usage` in the last choice of a stream);
 * Groq (`x_groq.usage`); DashScope, "Context Cache" (`cache_creation_input_tokens`); OpenRouter, "Usage
 * Accounting" (`cost`); Perplexity, "Pricing" (`cost.total_cost`).
 *
 * @module
 */
import type { Usage } from "../../usage.ts";
import { asCount, asObject, type Json } from "../../json/json.ts";
import { asTokens, usageOf } from "../token_usage.ts";

/** The larger of two counts: a service may report one under two names, one of them 0. */
function larger(count: number | undefined, other: unknown): number | undefined {
  // Nearly all names are absent.
  if (other === undefined) return count;
  const tokens = asTokens(other);
  return count === undefined || (tokens !== undefined && tokens > count) ? tokens : count;
}

/** The tokens read from the prompt cache. */
function cachedTokens(usage: Json, prompt: Json | undefined): number | undefined {
  let cached = larger(undefined, prompt?.cached_tokens);
  cached = larger(cached, usage.prompt_cache_hit_tokens);
  cached = larger(cached, usage.num_cached_tokens);
  cached = larger(cached, usage.cached_tokens);
  return larger(cached, usage.cache_read_input_tokens);
}

/** The tokens written to the prompt cache. */
function cacheWriteTokens(usage: Json, prompt: Json | undefined): number | undefined {
  let written = larger(undefined, prompt?.cache_write_tokens);
  written = larger(written, prompt?.cache_creation_input_tokens);
  return larger(written, usage.cache_creation_input_tokens);
}

/** Decodes a `usage` object; `null` if the server counted nothing. */
export function decodeUsage(value: unknown): Usage | null {
  const usage = asObject(value);
  if (usage === undefined) return null;
  const prompt = asObject(usage.prompt_tokens_details);
  const completion = asObject(usage.completion_tokens_details);
  return usageOf({
    prompt: usage.prompt_tokens,
    completion: usage.completion_tokens,
    total: usage.total_tokens,
    cached: cachedTokens(usage, prompt),
    cacheWrite: cacheWriteTokens(usage, prompt),
    reasoning: completion?.reasoning_tokens ?? usage.reasoning_tokens,
    audio: (asCount(usage.prompt_audio_seconds) ?? 0) > 0,
  });
}

/** The `usage` of an answer or a chunk, wherever the service puts it. */
export function findUsage(answer: Json, choice: Json | undefined): Json | undefined {
  return asObject(answer.usage) ?? asObject(choice?.usage) ??
    asObject(asObject(answer.x_groq)?.usage);
}

/** xAI reports costs in ticks: USD 1e-10 (xAI API reference, `cost_in_usd_ticks`). */
const TICKS_PER_USD = 1e10;

/** The cost in USD, in any of its forms. */
function reportedCost(usage: Json): number | undefined {
  const cost = asCount(usage.cost) ?? asCount(asObject(usage.cost)?.total_cost);
  if (cost !== undefined) return cost;
  const ticks = asCount(usage.cost_in_usd_ticks);
  return ticks === undefined ? undefined : ticks / TICKS_PER_USD;
}

/**
 * The cost in USD that the server itself reports. With a key of the upstream provider (OpenRouter's
 * `is_byok`) it is only the fee, so that provider's charge is added.
 */
export function decodeCost(usage: Json | undefined): number | undefined {
  if (usage === undefined) return undefined;
  const cost = reportedCost(usage);
  if (usage.is_byok !== true) return cost;
  return (cost ?? 0) + (asCount(asObject(usage.cost_details)?.upstream_inference_cost) ?? 0);
}
