/**
 * Decodes usage in Gemini answers, and normalizes answers with fields in snake case.
 *
 * Source: Gemini API reference, "GenerateContentResponse", and the types of `@google/genai`.
 *
 * @module
 */
import type { Usage } from "../../usage.ts";
import { asObject, asObjects, asText, type Json } from "../../json/json.ts";
import { asTokens } from "../token_usage.ts";

/** A token count; protobuf's JSON writes 64-bit integers as strings. */
function countOf(value: unknown): number | undefined {
  return asTokens(typeof value === "string" && value !== "" ? Number(value) : value);
}

/**
 * Decodes usage metadata; `null` if nothing was counted. Thoughts are counted separately from the candidates'
 * tokens, and the results of built-in tools separately from the prompt's.
 */
export function decodeUsage(value: unknown): Usage | null {
  const usage = asObject(value) ?? {};
  const prompt = countOf(usage.promptTokenCount);
  const candidates = countOf(usage.candidatesTokenCount);
  const total = countOf(usage.totalTokenCount);
  const thoughts = countOf(usage.thoughtsTokenCount);
  if ((prompt ?? candidates ?? total ?? thoughts) === undefined) return null;
  const promptTokens = (prompt ?? 0) + (countOf(usage.toolUsePromptTokenCount) ?? 0);
  const counted = (candidates ?? 0) + (thoughts ?? 0);
  // The total covers prompt and output, so its remainder is output.
  const completionTokens = Math.max(counted, (total ?? 0) - promptTokens);
  return {
    promptTokens,
    completionTokens,
    totalTokens: promptTokens + completionTokens,
    cachedTokens: Math.min(countOf(usage.cachedContentTokenCount) ?? 0, promptTokens),
    reasoningTokens: thoughts ?? 0,
  };
}

const PARTS = [
  "promptTokenCount",
  "toolUsePromptTokenCount",
  "candidatesTokenCount",
  "thoughtsTokenCount",
];

/**
 * Merges the usage of a later chunk into what is `known`. Later chunks may omit what an earlier one counted.
 * But counts that do not fit into a later, larger total were counted differently: with built-in tools, chunks
 * count one turn of the model, and the last one counts all of them (recorded streams).
 */
export function mergeUsage(known: Json, later: Json): Json {
  const newer: Json = {};
  for (const name in later) {
    if (later[name] !== undefined && later[name] !== null) newer[name] = later[name];
  }
  const merged = { ...known, ...newer };
  const total = countOf(later.totalTokenCount) ?? Infinity;
  const counted = PARTS.reduce((sum, name) => sum + (countOf(merged[name]) ?? 0), 0);
  if (counted <= total || total < (countOf(known.totalTokenCount) ?? 0)) return merged;
  for (const name in known) {
    if (/Token(Count|sDetails)$/.test(name) && !(name in newer)) delete merged[name];
  }
  return merged;
}

/**
 * The billed tier, if it is not the standard one: Gemini API `serviceTier`, Vertex AI
 * `trafficType`.
 */
export function decodeServiceTier(value: unknown): string | undefined {
  const usage = asObject(value);
  const tier = asText(usage?.serviceTier) ?? asText(usage?.trafficType);
  return tier === undefined ? undefined : /(flex|priority)$/i.exec(tier)?.[0].toLowerCase();
}

/** Fields whose keys are chosen by the user. */
const USER_DEFINED: ReadonlySet<string> = new Set([
  "args",
  "response",
  "part_metadata",
  "partMetadata",
]);

function camelCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCase);
  const object = asObject(value);
  if (object === undefined) return value;
  return Object.fromEntries(
    Object.entries(object).map(([name, field]) => [
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      USER_DEFINED.has(name) ? field : camelCase(field),
    ]),
  );
}

function hasSnakeCase(object: Json | undefined): boolean {
  for (const name in object) if (name.includes("_")) return true;
  return false;
}

/**
 * Converts the fields of a response to camel case. Protobuf's JSON allows both spellings: Google sends camel
 * case, but gateways written in Python also send `function_call` and `usage_metadata`.
 */
export function normalizeResponse(answer: Json): Json {
  let isSnakeCase = hasSnakeCase(answer);
  for (const candidate of asObjects(answer.candidates)) {
    isSnakeCase ||= hasSnakeCase(candidate);
    for (const part of asObjects(asObject(candidate.content)?.parts)) {
      isSnakeCase ||= hasSnakeCase(part);
    }
  }
  return isSnakeCase ? camelCase(answer) as Json : answer;
}
