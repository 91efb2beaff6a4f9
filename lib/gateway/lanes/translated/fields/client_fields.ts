/**
 * Finds the client's names of fields and options.
 *
 * @module
 */
import type { SamplingOptions } from "../../../../chat/options.ts";
import { CHAT_FIELDS } from "./chat_fields.ts";
import type { FieldRules } from "./field_rules.ts";
import { GEMINI_FIELDS } from "./gemini_fields.ts";
import { MESSAGES_FIELDS } from "./messages_fields.ts";
import { RESPONSES_FIELDS } from "./responses_fields.ts";

/** The rules for the fields of a request, by the name of its format. */
export const FIELD_RULES: Readonly<Record<string, FieldRules>> = {
  chat: CHAT_FIELDS,
  responses: RESPONSES_FIELDS,
  claude: MESSAGES_FIELDS,
  gemini: GEMINI_FIELDS,
};

type OptionFields = Readonly<
  Partial<Record<keyof SamplingOptions | "logprobs" | "verbosity", string>>
>;

const OPTION_FIELDS: Readonly<Record<string, OptionFields>> = {
  chat: {
    topP: "top_p",
    topK: "top_k",
    thinking: "reasoning_effort",
    maxTokens: "max_tokens",
    presencePenalty: "presence_penalty",
    frequencyPenalty: "frequency_penalty",
    toolChoice: "tool_choice",
    parallelToolCalls: "parallel_tool_calls",
    responseFormat: "response_format",
  },
  responses: {
    topP: "top_p",
    thinking: "reasoning.effort",
    maxTokens: "max_output_tokens",
    toolChoice: "tool_choice",
    parallelToolCalls: "parallel_tool_calls",
    responseFormat: "text.format",
    logprobs: "top_logprobs",
    verbosity: "text.verbosity",
  },
  claude: {
    topP: "top_p",
    topK: "top_k",
    maxTokens: "max_tokens",
    stop: "stop_sequences",
    toolChoice: "tool_choice",
    parallelToolCalls: "tool_choice.disable_parallel_tool_use",
    responseFormat: "output_config.format",
  },
  gemini: {
    temperature: "generationConfig.temperature",
    topP: "generationConfig.topP",
    topK: "generationConfig.topK",
    seed: "generationConfig.seed",
    thinking: "generationConfig.thinkingConfig",
    maxTokens: "generationConfig.maxOutputTokens",
    stop: "generationConfig.stopSequences",
    presencePenalty: "generationConfig.presencePenalty",
    frequencyPenalty: "generationConfig.frequencyPenalty",
    toolChoice: "toolConfig.functionCallingConfig",
    responseFormat: "generationConfig.responseMimeType",
    logprobs: "generationConfig.responseLogprobs",
  },
};

const OPTIONS: ReadonlySet<string> = new Set<keyof SamplingOptions>([
  "temperature",
  "topP",
  "topK",
  "thinking",
  "maxTokens",
  "stop",
  "seed",
  "presencePenalty",
  "frequencyPenalty",
  "tools",
  "toolChoice",
  "parallelToolCalls",
  "responseFormat",
]);

/** The client's field for one of our options. */
export function fieldOf(option: string, format: string): string {
  return OPTION_FIELDS[format]?.[option as keyof OptionFields] ?? option;
}

/** The option that an error message of an encoder names. */
export function optionIn(message: string): string | undefined {
  // Other options may be named as the reason.
  const named = /the option (\w+)/.exec(message)?.[1] ?? /^(\w+):/.exec(message)?.[1];
  if (named !== undefined && OPTIONS.has(named)) return named;
  return message.match(/[a-z][a-zA-Z]+/g)?.find((word) => OPTIONS.has(word));
}
