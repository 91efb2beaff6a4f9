/**
 * Finds the thinking that a model accepts: the requested one, or else the nearest.
 *
 * @module
 */
import type { Thinking, ThinkingLevel } from "../../../chat/options.ts";
import { claudeModel } from "../../../protocols/anthropic/model_features.ts";
import { anthropicThinking } from "../../../protocols/anthropic/thinking.ts";
import { geminiModel } from "../../../protocols/gemini/model_features.ts";
import { geminiThinking } from "../../../protocols/gemini/thinking.ts";
import { chatThinking } from "../../../protocols/openai_chat/thinking.ts";
import { openaiEfforts } from "../../../protocols/openai_model_features.ts";
import type { Target } from "./target.ts";

/** The level that corresponds to a budget in tokens. */
function levelOf(budget: number): ThinkingLevel {
  if (budget <= 1024) return "low";
  return budget <= 10_000 ? "medium" : "high";
}

/** What to send for `thinking`, from exact to least exact. */
function alternatives(thinking: Thinking, target: Target): (Thinking | undefined)[] {
  if (thinking === false) return [false, "minimal", undefined];
  if (typeof thinking !== "number") return [thinking, true, undefined];
  const { maxBudget } = geminiModel(target.model);
  const budget = target.protocol.name === "gemini" && maxBudget > 0
    ? Math.min(thinking, maxBudget)
    : thinking;
  return [budget, levelOf(thinking), true, undefined];
}

/** Whether the model accepts `thinking`, and leaves room for an answer. */
function accepts(thinking: Thinking, target: Target, maxTokens: number | undefined): boolean {
  const { model, protocol, service, isOpenAI } = target;
  try {
    switch (protocol.name) {
      case "claude":
        anthropicThinking(model, claudeModel(model), { thinking, maxTokens });
        return true;
      case "gemini":
        geminiThinking(model, geminiModel(model), thinking);
        return true;
      case "responses":
        chatThinking("effort", model, thinking, true);
        break;
      default:
        chatThinking(service, model, thinking, isOpenAI);
    }
  } catch {
    return false;
  }
  // OpenAI's other models reject the field.
  return !(isOpenAI || protocol.name === "responses" && /^(gpt|chatgpt)-/.test(model)) ||
    openaiEfforts(model) !== undefined;
}

/** The smallest budget of Claude's thinking. */
const MIN_CLAUDE_BUDGET = 1024;

/**
 * What to send for `thinking`: the nearest that the model accepts, `undefined` if it accepts none.
 *
 * @param maxTokens the maximum tokens of the answer, of which a budget is a part
 */
export function thinkingFor(
  thinking: Thinking | undefined,
  target: Target,
  maxTokens: number | undefined,
): Thinking | undefined {
  if (thinking === undefined) return undefined;
  const options = alternatives(thinking, target);
  if (target.protocol.name === "claude" && thinking !== false && maxTokens !== undefined) {
    // A budget that leaves half of the tokens for the answer.
    const half = Math.floor(maxTokens / 2);
    if (half >= MIN_CLAUDE_BUDGET) options.splice(-1, 0, half);
  }
  return options.find((option) => option === undefined || accepts(option, target, maxTokens));
}

/**
 * Thinking that is not limited by a budget, if the model can do without: with a budget, Claude neither
 * continues a turn without the thinking that began it, nor thinks when a tool is forced.
 */
export function withoutBudget(
  thinking: Thinking,
  { model }: Target,
  maxTokens: number | undefined,
): Thinking | undefined {
  const features = claudeModel(model);
  const hasBudget = (thinking: Thinking) =>
    anthropicThinking(model, features, { thinking, maxTokens }).thinking?.type === "enabled";
  if (!hasBudget(thinking)) return thinking;
  if (features.thinking === "budget" || typeof thinking !== "number") return undefined;
  const level = levelOf(thinking);
  return hasBudget(level) ? undefined : level;
}
