/**
 * Lists what OpenAI's own models accept, wherever they run.
 *
 * Sources: OpenAI API reference, "Reasoning models", and the errors that list a model's valid values;
 * for models before GPT-6, the table of `pydantic_ai.profiles.openai`, which was verified live.
 *
 * @module
 */
import type { ThinkingLevel } from "../chat/options.ts";

/** Prefixes that gateways and fine-tuning add to a name. */
const PREFIX = /^(openai\/|azure\/|ft:)/;

/** Whether `model` is the name of one of OpenAI's own models; the open-weight ones (gpt-oss) are not. */
export function isOpenAIModel(model: string): boolean {
  return /^(gpt-(?!oss)|chatgpt-|codex|computer-use|o\d)/.test(model.replace(PREFIX, ""));
}

/** The efforts that a model accepts. */
interface Efforts {
  levels: readonly ThinkingLevel[];
  /** Whether it accepts `none`. */
  none: boolean;
}

const TO_HIGH: readonly ThinkingLevel[] = ["low", "medium", "high"];
const TO_XHIGH: readonly ThinkingLevel[] = [...TO_HIGH, "xhigh"];
const TO_MAX: readonly ThinkingLevel[] = [...TO_XHIGH, "max"];

/** The efforts by model; the first matching pattern wins. */
const MODELS: readonly (readonly [RegExp, Efforts])[] = [
  [/^o\d/, { levels: TO_HIGH, none: false }],
  [/^gpt-5-pro/, { levels: ["high"], none: false }],
  [/^gpt-5-codex/, { levels: TO_HIGH, none: false }],
  [/^gpt-5(-|$)/, { levels: ["minimal", ...TO_HIGH], none: false }],
  [/^gpt-5\.\d-chat/, { levels: ["medium"], none: false }],
  [/^gpt-5\.1-codex-max/, { levels: TO_XHIGH, none: false }],
  [/^gpt-5\.1-codex/, { levels: TO_HIGH, none: false }],
  [/^gpt-5\.1/, { levels: TO_HIGH, none: true }],
  [/^gpt-5\.[2-5]-pro/, { levels: ["medium", "high", "xhigh"], none: false }],
  [/^gpt-5\.[2-5]/, { levels: TO_XHIGH, none: true }],
  [/^(gpt-6-astra|gpt-6\.1-sol)/, { levels: TO_MAX, none: false }],
  [/^gpt-(5\.[6-9]|[6-9])/, { levels: TO_MAX, none: true }],
];

/** The efforts that `model` accepts; `undefined` when they are not known. */
export function openaiEfforts(model: string): Efforts | undefined {
  const name = model.replace(PREFIX, "");
  return MODELS.find(([pattern]) => pattern.test(name))?.[1];
}
