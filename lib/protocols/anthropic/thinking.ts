/**
 * Encodes the `thinking` option in the form that each generation of Claude accepts.
 *
 * Source: Anthropic's documentation, "Extended thinking", "Adaptive thinking", "Effort".
 *
 * @module
 */
import {
  type SamplingOptions,
  type Thinking,
  THINKING_LEVELS,
  type ThinkingLevel,
} from "../../chat/options.ts";
import { ConfigurationError } from "../../errors.ts";
import type { ClaudeModel } from "./model_features.ts";
import { unsupported } from "../unsupported.ts";

/** The smallest budget that the API accepts. */
const MIN_BUDGET = 1024;
const BUDGETS: Readonly<Record<ThinkingLevel, number>> = {
  minimal: MIN_BUDGET,
  low: 2048,
  medium: 8192,
  high: 24_576,
  xhigh: 32_768,
  max: 63_999,
};
/** The tokens of the model's limit that a level leaves for the answer. */
const MIN_ANSWER = 8192;

/** The request fields for thinking. */
export interface AnthropicThinking {
  thinking?: { type: string; budget_tokens?: number; display?: "summarized" };
  effort?: Exclude<ThinkingLevel, "minimal">;
  maxTokens: number;
}

function budgetOf(thinking: Exclude<Thinking, false>, { outputLimit }: ClaudeModel): number {
  if (typeof thinking === "number") return thinking;
  return Math.min(BUDGETS[thinking === true ? "medium" : thinking], outputLimit - MIN_ANSWER);
}

function withBudget(
  name: string,
  model: ClaudeModel,
  thinking: Exclude<Thinking, false>,
  given: number | undefined,
): AnthropicThinking {
  const budget_tokens = budgetOf(thinking, model);
  if (budget_tokens < MIN_BUDGET && model.isKnown) {
    throw new ConfigurationError(
      `thinking: ${name} needs a budget of at least ${MIN_BUDGET} tokens`,
    );
  }
  // The budget counts towards the limit, so the answer needs room in addition to it.
  const room = Math.max(model.outputLimit - budget_tokens, MIN_ANSWER);
  const maxTokens = given ?? budget_tokens + Math.min(model.maxTokens, room);
  if (maxTokens <= budget_tokens) {
    throw new ConfigurationError(
      `maxTokens: ${maxTokens} leaves no room for an answer after ${budget_tokens} tokens of thinking`,
    );
  }
  return { thinking: { type: "enabled", budget_tokens }, maxTokens };
}

function turnedOff(name: string, { off }: ClaudeModel): AnthropicThinking["thinking"] {
  if (off === "never") {
    throw unsupported(
      "thinking: false",
      name,
      'It always thinks; the lowest level is "low".',
    );
  }
  return off === "omit" ? undefined : { type: off };
}

/** The level as effort; the next higher one if the model lacks it. */
function effortOf(level: ThinkingLevel, { xhigh }: ClaudeModel): AnthropicThinking["effort"] {
  if (level === "minimal") return "low";
  return level === "xhigh" && !xhigh ? "max" : level;
}

/**
 * Returns the request fields for `options.thinking`.
 *
 * @throws {ConfigurationError} when the model does not support it
 */
export function anthropicThinking(
  name: string,
  model: ClaudeModel,
  options: SamplingOptions,
): AnthropicThinking {
  const { thinking, maxTokens: given } = options;
  const maxTokens = given ?? model.maxTokens;
  if (thinking === undefined) return { maxTokens };
  if (thinking === false) return { thinking: turnedOff(name, model), maxTokens };
  if (typeof thinking === "string" && !THINKING_LEVELS.includes(thinking)) {
    throw unsupported(`thinking "${thinking}"`, name, `Levels are ${THINKING_LEVELS.join(", ")}.`);
  }
  if (model.thinking === "none") throw unsupported("thinking", name);
  if (model.thinking === "budget") return withBudget(name, model, thinking, given);
  if (typeof thinking === "number") {
    if (model.thinking === "both") return withBudget(name, model, thinking, given);
    throw unsupported("thinking as a number", name, 'Use a level: "low", "medium" or "high".');
  }
  // Newer models omit the text of their thinking unless the request asks for it.
  const adaptive = { type: "adaptive", display: "summarized" } as const;
  if (thinking === true) return { thinking: adaptive, maxTokens };
  return { thinking: adaptive, effort: effortOf(thinking, model), maxTokens };
}
