/**
 * Decodes requests of OpenAI's Responses API.
 *
 * Source: OpenAI API reference, "Create a model response", and the types of the `openai` package 7.57.
 *
 * @module
 */
import {
  type ResponseFormat,
  type SamplingOptions,
  THINKING_LEVELS,
  type ThinkingLevel,
  type ToolChoice,
} from "../../chat/options.ts";
import { asObject, asObjects, asText, type Json } from "../../json/json.ts";
import { type OptionNames, remaining, splitOptions } from "../serve_request.ts";
import type { ServerRequest } from "../serve.ts";
import { decodeInput } from "./serve_input.ts";
import { clientTools } from "./serve_tools.ts";

const OPTIONS: OptionNames = {
  temperature: "temperature",
  top_p: "topP",
  max_output_tokens: "maxTokens",
  parallel_tool_calls: "parallelToolCalls",
};

/** Chat Completions nests what is flat here. */
function decodeNamedTool(choice: Json): Json {
  const { type, name } = choice;
  return typeof type === "string" && name !== undefined ? { type, [type]: { name } } : choice;
}

function decodeToolChoice(value: unknown): ToolChoice {
  const choice = asObject(value);
  if (choice === undefined) return value as ToolChoice;
  if (choice.type !== "allowed_tools") return decodeNamedTool(choice) as unknown as ToolChoice;
  const tools = asObjects(choice.tools).map(decodeNamedTool);
  const allowed = { type: choice.type, allowed_tools: { mode: choice.mode, tools } };
  return allowed as unknown as ToolChoice;
}

function decodeFormat(format: Json): ResponseFormat {
  const { type, ...schema } = format;
  return (type === "json_schema" ? { type, json_schema: schema } : format) as ResponseFormat;
}

/** Reads `reasoning.effort`. Removes what the option covers from `extra`. */
function takeThinking(options: SamplingOptions, extra: Json): void {
  const reasoning = asObject(extra.reasoning);
  if (reasoning === undefined) return;
  const { effort } = reasoning;
  if (effort === "none") options.thinking = false;
  else if (THINKING_LEVELS.includes(effort as ThinkingLevel)) {
    options.thinking = effort as ThinkingLevel;
  } else return;
  // The encoder requests summaries by itself.
  const known = reasoning.summary === "auto" ? ["effort", "summary"] : ["effort"];
  extra.reasoning = remaining(reasoning, ...known);
}

/** Alternatives per token, if log probabilities are requested. */
function topLogprobsOf({ top_logprobs: top, include }: Json): number | undefined {
  if (typeof top === "number") return top;
  const isIncluded = Array.isArray(include) && include.includes("message.output_text.logprobs");
  return isIncluded ? 0 : undefined;
}

/** Decodes a request body. */
export function decodeRequest(body: Json): ServerRequest {
  const { options, rest } = splitOptions(body, OPTIONS);
  const { model, input, instructions, stream, tools, tool_choice, text, ...extra } = rest;
  const client = clientTools(body);
  if (Array.isArray(tools) || client.tools.length > 0) options.tools = client.tools;
  if (tool_choice !== undefined) options.toolChoice = decodeToolChoice(tool_choice);
  const { format, ...textFields } = asObject(text) ?? {};
  if (asObject(format)) options.responseFormat = decodeFormat(format as Json);
  extra.text = remaining(textFields);
  takeThinking(options, extra);
  // The encoder sets these by itself.
  if (extra.store === false) extra.store = undefined;
  if (Array.isArray(extra.include)) {
    const include = extra.include.filter((item) => item !== "reasoning.encrypted_content");
    extra.include = include.length === 0 ? undefined : include;
  }
  const extraBody = remaining(extra);
  if (extraBody !== undefined) options.extraBody = extraBody;
  return {
    chat: {
      model: asText(model) ?? "",
      messages: decodeInput(input, instructions),
      options,
      stream: stream === true,
    },
    body,
    choices: 1,
    topLogprobs: topLogprobsOf(body),
    includeThinking: true,
  };
}
