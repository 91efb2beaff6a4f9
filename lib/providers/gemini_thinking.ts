/**
 * The one knob for thinking, in the words that each generation of Gemini accepts.
 *
 * Source: Gemini API documentation, "Thinking"; a level and a budget together are refused.
 *
 * @module
 */
import type { Thinking } from "../chat/options.ts";
import { ConfigurationError } from "../errors.ts";
import type { GeminiLevel, GeminiModel } from "./gemini_models.ts";
import { unsupported } from "./unsupported.ts";

const BUDGETS = {
  minimal: 512,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
} as const;

/** The `thinkingConfig` of a request. */
export interface ThinkingConfig {
  includeThoughts?: boolean;
  thinkingLevel?: GeminiLevel;
  /** Tokens; 0 turns thinking off, -1 leaves the budget to the model. */
  thinkingBudget?: number;
}

function withBudget(thinking: Exclude<Thinking, false>): ThinkingConfig {
  const thinkingBudget = thinking === true
    ? -1
    : typeof thinking === "number"
    ? thinking
    : BUDGETS[thinking];
  return { includeThoughts: true, thinkingBudget };
}

function withLevel(
  name: string,
  { levels }: GeminiModel,
  thinking: Exclude<Thinking, false>,
): ThinkingConfig {
  if (thinking === true) return { includeThoughts: true };
  const known = levels.map((level) => `"${level.toLowerCase()}"`).join(", ");
  if (typeof thinking === "number") {
    throw unsupported("thinking as a number", name, `Give a level: ${known}.`);
  }
  const thinkingLevel = thinking.toUpperCase() as GeminiLevel;
  if (!levels.includes(thinkingLevel)) {
    throw new ConfigurationError(`thinking: ${name} does not know the level "${thinking}"`, {
      hint: `It knows ${known}.`,
    });
  }
  return { includeThoughts: true, thinkingLevel };
}

/**
 * What to send for `thinking` to a model.
 *
 * @throws {ConfigurationError} when the model cannot do it
 */
export function geminiThinking(
  name: string,
  model: GeminiModel,
  thinking: Thinking | undefined,
): ThinkingConfig | undefined {
  if (thinking === undefined) return undefined;
  if (thinking === false) {
    if (!model.canTurnOff) {
      throw unsupported("thinking: false", name, 'It always thinks; "low" makes it think little.');
    }
    return model.thinking === "none" ? undefined : { thinkingBudget: 0 };
  }
  if (model.thinking === "none") throw unsupported("thinking", name);
  return model.thinking === "budget" ? withBudget(thinking) : withLevel(name, model, thinking);
}
