/**
 * Decodes token counts of Anthropic's Messages API.
 *
 * Sources: the types of `@anthropic-ai/sdk` 1.12 (`BetaUsage`, `BetaIterationsUsage`) and Anthropic's
 * documentation: "Prompt caching"; "Compaction", "Understanding usage" (the top-level counts leave
 * compaction out); "Advisor tool", "Usage and billing" (they leave the advisor out, which is billed at its
 * own model's rates); "Refusals and fallback", "How server-side fallback is billed" (they describe the
 * attempt that answered; an attempt that declined after some output is billed at its own model's rates).
 *
 * @module
 */
import type { Usage } from "../../usage.ts";
import { asObject, asObjects, asText, type Json } from "../../json/json.ts";
import type { Completion } from "../protocol.ts";
import { asTokens } from "../token_usage.ts";

/** The decoded fields of a usage object. */
export type AnthropicUsage = { usage: Usage | null } & Pick<Completion, "serviceTier" | "billed">;

/** The counts of one usage object or iteration; `undefined` if it has none. */
function countsOf(usage: Json): Usage | undefined {
  const input = asTokens(usage.input_tokens);
  const output = asTokens(usage.output_tokens);
  const read = asTokens(usage.cache_read_input_tokens);
  const byLifetime = asObject(usage.cache_creation);
  const hour = asTokens(byLifetime?.ephemeral_1h_input_tokens) ?? 0;
  const written = asTokens(usage.cache_creation_input_tokens) ??
    (byLifetime && hour + (asTokens(byLifetime.ephemeral_5m_input_tokens) ?? 0));
  if (input === undefined && output === undefined && read === undefined && written === undefined) {
    return undefined;
  }
  const cachedTokens = read ?? 0;
  const cacheWriteTokens = written ?? 0;
  // Unlike OpenAI's, these input tokens do not include the cached ones.
  const promptTokens = (input ?? 0) + cachedTokens + cacheWriteTokens;
  const completionTokens = output ?? 0;
  const counts: Usage = {
    promptTokens,
    completionTokens,
    totalTokens: promptTokens + completionTokens,
    cachedTokens,
    cacheWriteTokens,
  };
  if (hour > 0) counts.cacheWriteHourTokens = Math.min(hour, cacheWriteTokens);
  const reasoning = asTokens(asObject(usage.output_tokens_details)?.thinking_tokens);
  if (reasoning !== undefined) counts.reasoningTokens = reasoning;
  return counts;
}

function sum(a: Usage, b: Usage): Usage {
  const total: Usage = { ...a };
  for (const [name, count] of Object.entries(b) as [keyof Usage, number][]) {
    total[name] = (total[name] ?? 0) + count;
  }
  return total;
}

type Part = { model?: string; usage: Usage };

/** The model that took over after one declined; `undefined` if none did. */
function fallbackModel(iterations: readonly Json[]): string | undefined {
  return asText(iterations.find(({ type }) => type === "fallback_message")?.model);
}

/** The billed parts that the top-level counts `main` omit, each with its model. */
function omittedParts(main: Usage, iterations: readonly Json[]): Part[] {
  const server = fallbackModel(iterations);
  const parts: Part[] = [];
  const declined: Part[] = [];
  let completionTokens = 0;
  for (const iteration of iterations) {
    const usage = countsOf(iteration);
    if (usage === undefined) continue;
    const model = asText(iteration.model);
    if (iteration.type === "compaction") {
      parts.push({ usage });
    } else if (iteration.type === "advisor_message") {
      parts.push({ model, usage });
    } else {
      completionTokens += usage.completionTokens;
      const isOther = server !== undefined && model !== server && iteration.type === "message";
      // Declining before the first token is free.
      if (isOther && usage.completionTokens > 0) declined.push({ model, usage });
    }
  }
  // If a server sums up all attempts at the top level, nothing is missing.
  return main.completionTokens < completionTokens ? [...parts, ...declined] : parts;
}

/** Decodes a usage object. Counts that are absent, `null`, negative or not numbers are unknown. */
export function decodeUsage(value: unknown): AnthropicUsage {
  const object = asObject(value);
  const main = object && countsOf(object);
  if (object === undefined || main === undefined) return { usage: null };
  const decoded: AnthropicUsage = { usage: main };
  const tier = object.speed === "fast" ? "fast" : asText(object.service_tier);
  if (tier !== undefined && tier !== "standard") decoded.serviceTier = tier;
  const iterations = asObjects(object.iterations);
  if (iterations.length === 0) return decoded;
  const parts = omittedParts(main, iterations);
  decoded.usage = parts.reduce((total, { usage }) => sum(total, usage), main);
  const model = fallbackModel(iterations);
  if (model !== undefined || parts.some((part) => part.model !== undefined)) {
    decoded.billed = [model === undefined ? { usage: main } : { model, usage: main }, ...parts];
  }
  return decoded;
}

const INPUT = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];

/**
 * Merges a later usage object of a stream into `known`. Its counts are totals, so they replace earlier ones;
 * counts that are `null` or absent stay. Compatible servers send zeros for a prompt that they counted before.
 */
export function mergeUsage(known: Json, later: Json): void {
  const hasInput = INPUT.some((name) => (asTokens(later[name]) ?? 0) > 0);
  for (const [name, value] of Object.entries(later)) {
    const isRepeated = value === 0 && !hasInput && INPUT.includes(name) && name in known;
    if (value !== null && !isRepeated) known[name] = value;
  }
}
