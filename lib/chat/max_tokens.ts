/**
 * Finds the maximum tokens of an answer, and how many answers are requested, under any of the names that APIs use.
 *
 * @module
 */
import { asObject, isRawNumber, type Json } from "../json/json.ts";
import type { SamplingOptions } from "./options.ts";

/** The names of the limit in request bodies. */
const LIMITS = ["max_tokens", "max_completion_tokens", "max_output_tokens"] as const;

/** The names of the object in which Gemini's API has both; it accepts either spelling of every field. */
const CONFIGS = ["generationConfig", "generation_config"] as const;
const CONFIG_LIMITS = ["maxOutputTokens", "max_output_tokens"] as const;
const CONFIG_COUNTS = ["candidateCount", "candidate_count"] as const;

/** The numbers, 1 or more, in these fields. Many servers also accept numbers as text, and take others as no limit. */
function numbersIn(fields: Json | undefined, names: readonly string[]): number[] {
  if (fields === undefined) return [];
  return names.flatMap((name) => {
    const value = fields[name];
    const isNumber = typeof value === "number" || typeof value === "string" || isRawNumber(value);
    const number = isNumber ? Number(isRawNumber(value) ? value.rawJSON : value) : 0;
    return number >= 1 ? number : [];
  });
}

function numbersOf(body: Json, names: readonly string[], inConfig: readonly string[]): number[] {
  const configs = CONFIGS.flatMap((name) => numbersIn(asObject(body[name]), inConfig));
  return [...numbersIn(body, names), ...configs];
}

/**
 * The maximum tokens of an answer; `undefined` if the request sets no limit. Of several limits the highest: which
 * one counts is up to the server.
 */
export function maxTokensOf({ maxTokens, extraBody }: SamplingOptions): number | undefined {
  if (maxTokens !== undefined || extraBody === undefined) return maxTokens;
  const limits = numbersOf(extraBody, LIMITS, CONFIG_LIMITS);
  return limits.length === 0 ? undefined : Math.max(...limits);
}

/** How many answers a request body asks for. */
export function answerCountOf(body: Json): number {
  return Math.max(1, ...numbersOf(body, ["n"], CONFIG_COUNTS));
}

function without(body: Json, names: readonly string[]): Json {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));
}

/** A request body without its limits, also those that mean "no limit". */
export function withoutLimits(body: Json): Json {
  const rest = without(body, LIMITS);
  for (const name of CONFIGS) {
    const config = asObject(rest[name]);
    if (config !== undefined) rest[name] = without(config, CONFIG_LIMITS);
  }
  return rest;
}
