/**
 * Finds the maximum tokens of an answer, under any of the names that APIs use for it.
 *
 * @module
 */
import { asNumber, asObject } from "../json/json.ts";
import type { SamplingOptions } from "./options.ts";

/** The names of the limit in request bodies. */
const FIELDS = ["max_tokens", "max_completion_tokens", "max_output_tokens"] as const;

/** The maximum tokens of an answer; `undefined` if the request sets no limit. */
export function maxTokensOf({ maxTokens, extraBody }: SamplingOptions): number | undefined {
  if (maxTokens !== undefined || extraBody === undefined) return maxTokens;
  const limits = FIELDS.map((name) => asNumber(extraBody[name]));
  limits.push(asNumber(asObject(extraBody.generationConfig)?.maxOutputTokens));
  return limits.find((limit) => limit !== undefined);
}
