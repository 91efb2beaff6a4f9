/**
 * Decodes the thinking fields of Chat Completions requests, the reverse of `thinking.ts`.
 *
 * @module
 */
import { type Thinking, THINKING_LEVELS, type ThinkingLevel } from "../../chat/options.ts";
import { asCount, asObject, type Json } from "../../json/json.ts";
import { remaining } from "../serve_request.ts";

function isLevel(value: unknown): value is ThinkingLevel {
  return (THINKING_LEVELS as readonly unknown[]).includes(value);
}

function fromTemplate(rest: Json): Thinking | undefined {
  const template = asObject(rest.chat_template_kwargs);
  const thinking = template?.enable_thinking ?? template?.thinking;
  if (typeof thinking !== "boolean") return undefined;
  rest.chat_template_kwargs = remaining(template!, "enable_thinking", "thinking");
  return thinking;
}

function fromSwitch(rest: Json): Thinking | undefined {
  const { enable_thinking: enabled, thinking_budget: budget } = rest;
  if (typeof enabled === "boolean") {
    delete rest.enable_thinking;
    if (!enabled || asCount(budget) === undefined) return enabled;
    delete rest.thinking_budget;
    return asCount(budget);
  }
  const thinking = asObject(rest.thinking);
  const isOff = thinking?.type === "disabled";
  if (!isOff && thinking?.type !== "enabled" && thinking?.type !== "adaptive") return undefined;
  rest.thinking = remaining(thinking, "type");
  if (isOff) return false;
  return fromEffort(rest) ?? true;
}

function fromReasoning(rest: Json): Thinking | undefined {
  const reasoning = asObject(rest.reasoning);
  if (reasoning === undefined) return undefined;
  const { enabled, effort, max_tokens: budget } = reasoning;
  const take = (name: string) => rest.reasoning = remaining(reasoning, name);
  if (effort === "none" || isLevel(effort)) {
    take("effort");
    return effort === "none" ? false : effort;
  }
  if (asCount(budget) !== undefined) {
    take("max_tokens");
    return asCount(budget);
  }
  if (typeof enabled !== "boolean") return undefined;
  take("enabled");
  return enabled;
}

function fromEffort(rest: Json): Thinking | undefined {
  const { reasoning_effort: effort } = rest;
  if (effort !== "none" && !isLevel(effort)) return undefined;
  delete rest.reasoning_effort;
  return effort === "none" ? false : effort;
}

/**
 * The option `thinking` that a request sets in the dialect of any service. Removes the fields that it
 * covers from `rest`; values that the option does not know stay there.
 */
export function takeThinking(rest: Json): Thinking | undefined {
  return fromTemplate(rest) ?? fromSwitch(rest) ?? fromReasoning(rest) ?? fromEffort(rest);
}
