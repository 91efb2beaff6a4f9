/**
 * Knows how many tokens models write at most.
 *
 * Sources: OpenAI, "Models"; Gemini API, "Models"; Anthropic, "Models overview".
 *
 * @module
 */
import { claudeModel } from "../protocols/anthropic/model_features.ts";

/** The maximum output tokens of models, by the beginning of their names; the first match wins. */
const OUTPUT_LIMITS: readonly (readonly [RegExp, number])[] = [
  [/^(gpt-4o|chatgpt-4o)/, 16_384],
  [/^gpt-4\.1/, 32_768],
  [/^(gpt-3\.5|gpt-4-turbo|gpt-4-1106|gpt-4-0125)/, 4096],
  [/^gpt-4(-|$)/, 8192],
  [/^gpt-5-chat/, 16_384],
  [/^gpt-5/, 128_000],
  [/^o[134](-|$)/, 100_000],
  [/^gemini-(1|2\.0)/, 8192],
  [/^gemini-/, 65_536],
];

/** The maximum output tokens of a model, thinking included; `undefined` if they are unknown. */
export function outputLimitOf(model: string): number | undefined {
  const { isKnown, outputLimit } = claudeModel(model);
  if (isKnown) return outputLimit;
  const name = model.replace(/^.*\//, "");
  return OUTPUT_LIMITS.find(([pattern]) => pattern.test(name))?.[1];
}
