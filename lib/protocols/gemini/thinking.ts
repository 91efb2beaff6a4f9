/**
 * Encodes the `thinking` option in the form that each generation of Gemini accepts.
 *
 * Source: Gemini API documentation, "Thinking"; a level and a budget together are rejected.
 *
 * @module
 */
import type { Thinking, ThinkingLevel } from "../../chat/options.ts";
import { nearestLevel } from "../openai_chat/thinking.ts";
import type { GeminiLevel, GeminiModel } from "./model_features.ts";
import { unsupported } from "../unsupported.ts";

/** The budgets of levels in tokens, capped by the model's maximum. */
const BUDGETS: Readonly<Record<ThinkingLevel, number>> = {
  minimal: 512,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_768,
  max: 32_768,
};

/** The `thinkingConfig` of a request. */
export interface ThinkingConfig {
  includeThoughts?: boolean;
  thinkingLevel?: GeminiLevel;
  /** Tokens; 0 turns thinking off, -1 leaves the budget to the model. */
  thinkingBudget?: number;
}

function withBudget(model: GeminiModel, thinking: true | ThinkingLevel): ThinkingConfig {
  const thinkingBudget = thinking === true ? -1 : Math.min(BUDGETS[thinking], model.maxBudget);
  return { includeThoughts: true, thinkingBudget };
}

function withLevel(
  { levels }: GeminiModel,
  thinking: true | ThinkingLevel,
): ThinkingConfig {
  if (thinking === true) return { includeThoughts: true };
  const known = levels.map((level) => level.toLowerCase() as ThinkingLevel);
  const thinkingLevel = nearestLevel(thinking, known).toUpperCase() as GeminiLevel;
  return { includeThoughts: true, thinkingLevel };
}

function namesOf(levels: readonly GeminiLevel[]): string {
  return levels.map((level) => `"${level.toLowerCase()}"`).join(", ");
}

/**
 * Returns the `thinkingConfig` for `thinking`.
 *
 * @throws {ConfigurationError} when the model does not support it
 */
export function geminiThinking(
  name: string,
  model: GeminiModel,
  thinking: Thinking | undefined,
): ThinkingConfig | undefined {
  if (thinking === undefined) return undefined;
  if (thinking === false) {
    if (!model.canTurnOff) {
      const least = model.levels[0]?.toLowerCase() ?? "minimal";
      throw unsupported(
        "thinking: false",
        name,
        `It always thinks; the lowest level is "${least}".`,
      );
    }
    return model.thinking === "none" ? undefined : { thinkingBudget: 0 };
  }
  if (model.thinking === "none") throw unsupported("thinking", name);
  if (typeof thinking === "number") {
    if (model.maxBudget === 0) {
      throw unsupported("thinking as a number", name, `Use a level: ${namesOf(model.levels)}.`);
    }
    return { includeThoughts: true, thinkingBudget: thinking };
  }
  return model.thinking === "budget" ? withBudget(model, thinking) : withLevel(model, thinking);
}
