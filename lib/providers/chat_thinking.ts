/**
 * The one knob for thinking, in the words of each service that speaks Chat Completions.
 *
 * Sources: each service's own documentation of reasoning (November 2026).
 *
 * @module
 */
import type { Thinking } from "../chat/options.ts";
import type { Json } from "../json.ts";
import { unsupported } from "./unsupported.ts";

/** How a service is asked to think. */
export type ThinkingDialect =
  /** `reasoning_effort`, which some models also take as `none`. */
  | "effort"
  /** DeepSeek: `thinking: {type}` and `reasoning_effort`. */
  | "deepseek"
  /** Qwen, SiliconFlow: `enable_thinking` and `thinking_budget`. */
  | "enable_thinking"
  /** vLLM, SGLang: a variable of the chat template. */
  | "template"
  /** OpenRouter: `reasoning: {effort | max_tokens | enabled}`. */
  | "reasoning";

const BUDGETS = {
  minimal: 512,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_768,
  max: 32_768,
} as const;

/** Whether `model` is one of OpenAI's that can be told not to think. */
function takesNone(model: string): boolean {
  return !/^(o\d|gpt-5(-|$)|gpt-5-pro|gpt-6-astra|gpt-6\.1-sol)/.test(model);
}

function effort(model: string, thinking: Thinking, official: boolean): Json {
  if (typeof thinking === "number") {
    throw unsupported("thinking as a number", model, 'Give a level: "low", "medium" or "high".');
  }
  if (thinking === true) return { reasoning_effort: "medium" };
  if (thinking !== false) return { reasoning_effort: thinking };
  if (official && !takesNone(model)) {
    throw unsupported("thinking: false", model, 'It always thinks; "low" makes it think little.');
  }
  return { reasoning_effort: "none" };
}

function deepseek(model: string, thinking: Thinking): Json {
  if (typeof thinking === "number") {
    throw unsupported("thinking as a number", model, 'Give a level: "low" or "high".');
  }
  if (thinking === false) return { thinking: { type: "disabled" } };
  const level = {
    minimal: "low",
    low: "low",
    medium: "high",
    high: "high",
    xhigh: "max",
    max: "max",
  } as const;
  return {
    thinking: { type: "enabled" },
    reasoning_effort: thinking === true ? undefined : level[thinking],
  };
}

function enableThinking(thinking: Thinking): Json {
  if (typeof thinking === "boolean") return { enable_thinking: thinking };
  return {
    enable_thinking: true,
    thinking_budget: typeof thinking === "number" ? thinking : BUDGETS[thinking],
  };
}

function template(model: string, thinking: Thinking): Json {
  if (typeof thinking !== "boolean") {
    throw unsupported(
      "thinking as a level",
      model,
      "A self-hosted model is only told to think or not: on or off, true or false.",
    );
  }
  // DeepSeek V3.1 and Granite call the variable `thinking`, Qwen `enable_thinking`.
  return { chat_template_kwargs: { enable_thinking: thinking, thinking } };
}

function reasoning(thinking: Thinking): Json {
  if (typeof thinking === "number") return { reasoning: { max_tokens: thinking } };
  if (typeof thinking === "boolean") return { reasoning: { enabled: thinking } };
  return { reasoning: { effort: thinking } };
}

/**
 * The fields that ask for `thinking`. `official` says that the server is OpenAI's own.
 *
 * @throws {ConfigurationError} when the model cannot do it
 */
export function chatThinking(
  dialect: ThinkingDialect,
  model: string,
  thinking: Thinking | undefined,
  official: boolean,
): Json {
  if (thinking === undefined) return {};
  switch (dialect) {
    case "effort":
      return effort(model, thinking, official);
    case "deepseek":
      return deepseek(model, thinking);
    case "enable_thinking":
      return enableThinking(thinking);
    case "template":
      return template(model, thinking);
    case "reasoning":
      return reasoning(thinking);
  }
}
