/**
 * Encodes requests for OpenAI's Responses API. Nothing is stored on the server: encrypted reasoning travels
 * with the conversation.
 *
 * Source: OpenAI API reference, "Responses", and the types of the `openai` package 7.57.
 *
 * @module
 */
import {
  isFunctionTool,
  type ResponseFormat,
  type Tool,
  type ToolChoice,
} from "../../chat/options.ts";
import { asObject, type Json } from "../../json/json.ts";
import { chatThinking } from "../openai_chat/thinking.ts";
import type { ChatRequest, Endpoint } from "../protocol.ts";
import type { EncodedRequest } from "../../transport/request.ts";
import { mergeExtraBody } from "../extra_body.ts";
import { jsonHeaders, requestUrl } from "../request.ts";
import { openaiEfforts } from "../openai_model_features.ts";
import { encodeInput, rejectCacheControl } from "./messages.ts";
import { rejectOptions, rejectToolOptions } from "../unsupported.ts";

function encodeTool(tool: Tool): Json {
  rejectCacheControl(tool);
  if (isFunctionTool(tool)) {
    const { type, function: fn } = tool;
    const parameters = fn.parameters ?? { type: "object", properties: {} };
    // This API defaults to strict schemas.
    const strict = fn.strict ?? false;
    return { type, name: fn.name, description: fn.description, parameters, strict };
  }
  const custom = tool.type === "custom" ? asObject(tool.custom) : undefined;
  if (custom === undefined) return tool;
  // Chat Completions nests a custom tool, and the grammar in it.
  const format = asObject(custom.format);
  const grammar = asObject(format?.grammar);
  return {
    type: tool.type,
    ...custom,
    format: grammar === undefined ? format : { type: "grammar", ...grammar },
  };
}

/** Flattens the choice of one tool, which Chat Completions nests. */
function encodeChoice(choice: Json): Json {
  const { type } = choice;
  return { type, ...asObject(choice[String(type)]) ?? choice };
}

function encodeToolChoice(choice: ToolChoice | undefined): unknown {
  if (typeof choice !== "object") return choice;
  if (choice.type !== "allowed_tools") return encodeChoice(choice as unknown as Json);
  const { mode, tools } = choice.allowed_tools;
  return {
    type: choice.type,
    mode,
    tools: tools.map((tool) => encodeChoice(tool as unknown as Json)),
  };
}

function encodeFormat(format: ResponseFormat | undefined): Json | undefined {
  if (format === undefined) return undefined;
  return {
    format: format.type === "json_schema" ? { type: format.type, ...format.json_schema } : format,
  };
}

function encodeReasoning({ model, options: { thinking } }: ChatRequest): Json | undefined {
  if (thinking === undefined) return undefined;
  const { reasoning_effort: effort } = chatThinking("effort", model, thinking, true);
  return effort === "none" ? { effort } : { effort, summary: "auto" };
}

/** Fields that hold our defaults, which `extraBody` may replace. */
const DEFAULTS = ["store", "reasoning.summary"];

/** Further models that reason and accept their reasoning back, besides those with known efforts. */
const REASONING = /codex|computer-use|grok/;

/** Whether `include` may request encrypted reasoning, which other models reject. */
function isReasoning({ model, options: { thinking } }: ChatRequest): boolean {
  if (thinking !== undefined) return thinking !== false;
  if (/(^|\/)gpt-5-chat/.test(model)) return false;
  return openaiEfforts(model) !== undefined || REASONING.test(model);
}

function encodeBody(request: ChatRequest): string {
  const { tools, extraBody, ...options } = request.options;
  if (options.stop?.length === 0) options.stop = undefined;
  const names = ["stop", "seed", "presencePenalty", "frequencyPenalty", "topK"] as const;
  rejectOptions(options, names, "OpenAI's Responses API");
  rejectToolOptions(request.options);
  return JSON.stringify(mergeExtraBody(
    {
      model: request.model,
      input: encodeInput(request.messages, extraBody?.store === true),
      stream: request.stream ? true : undefined,
      store: false,
      include: isReasoning(request) ? ["reasoning.encrypted_content"] : undefined,
      max_output_tokens: options.maxTokens,
      temperature: options.temperature,
      top_p: options.topP,
      tools: tools?.length ? tools.map(encodeTool) : undefined,
      tool_choice: encodeToolChoice(options.toolChoice),
      parallel_tool_calls: options.parallelToolCalls,
      text: encodeFormat(options.responseFormat),
      reasoning: encodeReasoning(request),
    },
    extraBody,
    DEFAULTS,
  ));
}

/** Returns the encoder for one endpoint. */
export function encoder(endpoint: Endpoint): (request: ChatRequest) => EncodedRequest {
  const url = requestUrl(endpoint, "/responses");
  const headers = jsonHeaders(endpoint, "authorization");
  return (request) => ({ url, headers, body: encodeBody(request) });
}
