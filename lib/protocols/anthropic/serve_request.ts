/**
 * Decodes requests of Anthropic's Messages API.
 *
 * Source: Anthropic API reference, "Messages", and the types of `@anthropic-ai/sdk` 1.12.
 *
 * @module
 */
import type { Message, TextPart } from "../../chat/messages.ts";
import {
  type SamplingOptions,
  THINKING_LEVELS,
  type ThinkingLevel,
  type Tool,
  type ToolChoice,
} from "../../chat/options.ts";
import { asCount, asObject, asObjects, asText, type Json } from "../../json/json.ts";
import { type OptionNames, remaining, splitOptions, UNNAMED_FORMAT } from "../serve_request.ts";
import type { ServerRequest } from "../serve.ts";
import { located } from "../source_path.ts";
import { decodeTurns } from "./serve_turns.ts";

const OPTIONS: OptionNames = {
  temperature: "temperature",
  top_p: "topP",
  top_k: "topK",
  max_tokens: "maxTokens",
  stop_sequences: "stop",
};

function decodeSystem(system: unknown): Message[] {
  if (typeof system === "string") {
    return system === "" ? [] : [located({ role: "system", content: system }, "system")];
  }
  const content = asObjects(system) as unknown as TextPart[];
  return content.length === 0 ? [] : [located({ role: "system", content }, "system")];
}

/** Tools with a dated type are Anthropic's own. */
function decodeTool(tool: Json): Tool {
  const { type, name, description, input_schema, strict, ...others } = tool;
  if (type !== undefined && type !== null && type !== "custom") return tool;
  const fn = remaining({ name, description, parameters: input_schema, strict });
  return { type: "function", function: fn, ...others } as unknown as Tool;
}

function decodeToolChoice({ type, name }: Json): ToolChoice | undefined {
  switch (type) {
    case "auto":
    case "none":
      return type;
    case "any":
      return "required";
    case "tool":
      return { type: "function", function: { name: name as string } };
    default:
      return undefined;
  }
}

/** Reads `thinking` and `output_config.effort`. Removes what the option covers from `extra`. */
function takeThinking(options: SamplingOptions, extra: Json): void {
  const { type, budget_tokens: budget, ...others } = asObject(extra.thinking) ?? {};
  switch (type) {
    case "enabled":
      options.thinking = asCount(budget) ?? true;
      break;
    case "adaptive": {
      const { effort, ...config } = asObject(extra.output_config) ?? {};
      const isLevel = THINKING_LEVELS.includes(effort as ThinkingLevel);
      options.thinking = isLevel ? effort as ThinkingLevel : true;
      if (isLevel) extra.output_config = remaining(config);
      break;
    }
    case "disabled":
    case "between_tools":
      options.thinking = false;
      break;
    default:
      return;
  }
  // The encoder adds this by itself.
  if (others.display === "summarized") delete others.display;
  extra.thinking = remaining(others);
}

function isThinkingRequested({ thinking }: Json): boolean {
  const type = asObject(thinking)?.type;
  return type === "enabled" || type === "adaptive";
}

/** Decodes a request body. */
export function decodeRequest(body: Json): ServerRequest {
  const { options, rest } = splitOptions(body, OPTIONS);
  const { model, system, messages, stream, tools, tool_choice, ...extra } = rest;
  if (Array.isArray(tools)) options.tools = asObjects(tools).map(decodeTool);
  const choice = asObject(tool_choice) ?? {};
  const toolChoice = decodeToolChoice(choice);
  if (toolChoice !== undefined) options.toolChoice = toolChoice;
  if (choice.disable_parallel_tool_use === true) options.parallelToolCalls = false;
  const { format, ...config } = asObject(extra.output_config) ?? {};
  // The beta of structured outputs had the format at the top.
  const schema = asObject(asObject(format ?? extra.output_format)?.schema);
  if (schema !== undefined) {
    options.responseFormat = { type: "json_schema", json_schema: { name: UNNAMED_FORMAT, schema } };
    if (format === undefined) delete extra.output_format;
    else extra.output_config = remaining(config);
  }
  takeThinking(options, extra);
  const extraBody = remaining(extra);
  if (extraBody !== undefined) options.extraBody = extraBody;
  return {
    chat: {
      model: asText(model) ?? "",
      messages: [...decodeSystem(system), ...decodeTurns(messages)],
      options,
      stream: stream === true,
    },
    body,
    choices: 1,
    topLogprobs: undefined,
    // A client that did not request thinking reads the text from the first block.
    includeThinking: isThinkingRequested(body),
  };
}
