/**
 * Encodes the `thinking` option in the dialect of each service that speaks Chat Completions.
 *
 * Sources: each service's own documentation of reasoning (November 2026): DeepSeek, "Thinking Mode";
 * Z.ai, "Thinking Mode" and "GLM-5.3"; Kimi, "Thinking Models" and "Kimi K3"; Volcengine Ark and MiniMax,
 * "Chat Completions"; Alibaba Cloud Model Studio, "Deep thinking"; Baidu Qianfan, "深度思考"; OpenRouter,
 * "Reasoning Tokens"; Snowflake, "Cortex REST API"; vLLM, "Reasoning Outputs"; SGLang, "Thinking Budget".
 *
 * @module
 */
import { type Thinking, THINKING_LEVELS, type ThinkingLevel } from "../../chat/options.ts";
import type { Json } from "../../json/json.ts";
import { openaiEfforts } from "../openai_model_features.ts";
import { unsupported } from "../unsupported.ts";

/** How thinking is requested from a service. */
export type ThinkingDialect =
  /** `reasoning_effort`, which some models also take as `none`. */
  | "effort"
  /** DeepSeek: `thinking: {type}` and `reasoning_effort`. */
  | "deepseek"
  /** Z.ai, Moonshot, Volcengine, MiniMax: `thinking: {type}`, some models with `reasoning_effort`. */
  | "switch"
  /** Qwen, SiliconFlow: `enable_thinking` and `thinking_budget`. */
  | "enable_thinking"
  /** Qianfan: one of the two above, by model. */
  | "qianfan"
  /** vLLM, SGLang, llama.cpp: variables of the chat template, or `reasoning_effort`. */
  | "template"
  /** OpenRouter: `reasoning: {effort | max_tokens | enabled}`. */
  | "reasoning"
  /** Snowflake: `reasoning` for Claude, `reasoning_effort` for the others. */
  | "snowflake";

const BUDGETS = {
  minimal: 512,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_768,
  max: 32_768,
} as const;

const LOW_TO_HIGH: readonly ThinkingLevel[] = ["low", "medium", "high"];
/** The levels of models that support only a few: DeepSeek, GLM-5.3, Kimi K3. */
const LOW_HIGH_MAX: readonly ThinkingLevel[] = ["low", "high", "max"];

/** The level in `known` nearest to `level`; on a tie, the higher one. */
export function nearestLevel(level: ThinkingLevel, known: readonly ThinkingLevel[]): ThinkingLevel {
  const at = (name: ThinkingLevel) => THINKING_LEVELS.indexOf(name);
  const distance = (name: ThinkingLevel) => Math.abs(at(name) - at(level));
  return known.reduce((best, name) => distance(name) <= distance(best) ? name : best);
}

function alwaysThinks(model: string): Error {
  return unsupported(
    "thinking: false",
    model,
    'It always thinks; the lowest level is "low".',
  );
}

function noBudget(model: string, hint = 'Use a level: "low", "medium" or "high".'): Error {
  return unsupported("thinking as a number", model, hint);
}

function effort(
  model: string,
  thinking: Thinking,
  isOpenAI: boolean,
  known: readonly ThinkingLevel[] = THINKING_LEVELS,
): Json {
  if (typeof thinking === "number") throw noBudget(model);
  const own = openaiEfforts(model);
  if (thinking === false) {
    if (isOpenAI && own?.none === false) throw alwaysThinks(model);
    return { reasoning_effort: "none" };
  }
  const level = thinking === true ? "medium" : thinking;
  return { reasoning_effort: nearestLevel(level, own?.levels ?? known) };
}

function deepseek(model: string, thinking: Thinking): Json {
  if (typeof thinking === "number") throw noBudget(model, 'Use a level: "low" or "high".');
  if (thinking === false) return { thinking: { type: "disabled" } };
  return {
    thinking: { type: "enabled" },
    reasoning_effort: thinking === true ? undefined : nearestLevel(thinking, LOW_HIGH_MAX),
  };
}

/** Models that always think and accept an effort instead of the switch. */
const EFFORT_ONLY = /^kimi-k3/i;
/** Models of services with the switch that also accept an effort, with their levels. */
const SWITCH_EFFORTS: readonly (readonly [RegExp, readonly ThinkingLevel[]])[] = [
  [/^kimi-k3|^glm-5\.3/i, LOW_HIGH_MAX],
  [/^glm-5\.2/i, THINKING_LEVELS],
  [/^(doubao-seed|ep-)/i, ["minimal", "low", "medium", "high"]],
];
/** Models of services with the switch whose thinking cannot be switched off. */
const SWITCH_ALWAYS = /^(kimi-k3|kimi-k2\.7-code|glm-5\.3)/i;

function thinkingSwitch(model: string, thinking: Thinking): Json {
  if (typeof thinking === "number") throw noBudget(model);
  if (thinking === false) {
    if (SWITCH_ALWAYS.test(model)) throw alwaysThinks(model);
    return { thinking: { type: "disabled" } };
  }
  const levels = SWITCH_EFFORTS.find(([pattern]) => pattern.test(model))?.[1];
  const reasoning_effort = thinking === true || levels === undefined
    ? undefined
    : nearestLevel(thinking, levels);
  if (EFFORT_ONLY.test(model)) return { reasoning_effort };
  const type = /^minimax/i.test(model) ? "adaptive" : "enabled";
  return { thinking: { type }, reasoning_effort };
}

/** Models with the switch at Qianfan; Qwen and Ernie have `enable_thinking`. */
const QIANFAN_SWITCH = /^(deepseek|kimi|glm)/i;

function enableThinking(thinking: Thinking): Json {
  if (typeof thinking === "boolean") return { enable_thinking: thinking };
  return {
    enable_thinking: true,
    thinking_budget: typeof thinking === "number" ? thinking : BUDGETS[thinking],
  };
}

function template(model: string, thinking: Thinking): Json {
  if (typeof thinking === "number") {
    throw noBudget(
      model,
      `Use a level: "low", "medium" or "high". For a budget, use the server's own field: ` +
        `--extra-body thinking_token_budget=${thinking} for vLLM (extraBody).`,
    );
  }
  // vLLM rejects unknown levels.
  if (typeof thinking === "string") {
    return { reasoning_effort: nearestLevel(thinking, LOW_TO_HIGH) };
  }
  // DeepSeek V3.1 and Granite call the variable `thinking`, Qwen `enable_thinking`.
  return { chat_template_kwargs: { enable_thinking: thinking, thinking } };
}

function reasoning(thinking: Thinking): Json {
  if (typeof thinking === "number") return { reasoning: { max_tokens: thinking } };
  if (typeof thinking === "boolean") return { reasoning: { enabled: thinking } };
  return { reasoning: { effort: thinking } };
}

function snowflake(model: string, thinking: Thinking): Json {
  if (!/^claude/i.test(model)) return effort(model, thinking, false, LOW_TO_HIGH);
  // There Claude only thinks on request.
  if (thinking === false) return {};
  if (typeof thinking === "number") return reasoning(thinking);
  return reasoning(nearestLevel(thinking === true ? "medium" : thinking, LOW_TO_HIGH));
}

/** How a service requests thinking, and the levels it accepts. */
export interface ThinkingRules {
  thinking?: ThinkingDialect;
  efforts?: readonly ThinkingLevel[];
}

/**
 * Returns the fields that request `thinking`. A level that a model does not support becomes the nearest one
 * that it does.
 *
 * @param isOpenAI whether OpenAI's own rules apply, because of the model or the server
 * @throws {ConfigurationError} when the model does not support it
 */
export function chatThinking(
  rules: ThinkingRules | ThinkingDialect,
  model: string,
  thinking: Thinking | undefined,
  isOpenAI: boolean,
): Json {
  if (thinking === undefined) return {};
  const { thinking: dialect = "template", efforts } = typeof rules === "string"
    ? { thinking: rules, efforts: undefined }
    : rules;
  switch (dialect) {
    case "effort":
      return effort(model, thinking, isOpenAI, efforts);
    case "deepseek":
      return deepseek(model, thinking);
    case "switch":
      return thinkingSwitch(model, thinking);
    case "enable_thinking":
      return enableThinking(thinking);
    case "qianfan":
      return QIANFAN_SWITCH.test(model)
        ? thinkingSwitch(model, thinking)
        : enableThinking(thinking);
    case "template":
      return template(model, thinking);
    case "reasoning":
      return reasoning(thinking);
    case "snowflake":
      return snowflake(model, thinking);
  }
}
