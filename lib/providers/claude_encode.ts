/**
 * Requests of Anthropic's Messages API.
 *
 * Source: Anthropic API reference, "Messages", and the types of `@anthropic-ai/sdk` 1.12.
 *
 * @module
 */
import {
  type ContentPart,
  isSystemMessage,
  type Message,
  type SystemMessage,
  type TextPart,
} from "../chat/messages.ts";
import {
  isFunctionTool,
  type ResponseFormat,
  type SamplingOptions,
  type ToolChoice,
} from "../chat/options.ts";
import { ConfigurationError } from "../errors.ts";
import type { Json } from "../json.ts";
import { type ClaudeModel, claudeModel } from "./claude_models.ts";
import { claudeThinking } from "./claude_thinking.ts";
import { parseDataUrl } from "./data_url.ts";
import type { ChatRequest, EncodedRequest, Endpoint } from "./provider.ts";
import { mergeExtraBody } from "./extra_body.ts";
import { jsonHeaders, requestUrl } from "./request.ts";
import { parseArguments } from "./tool_arguments.ts";
import { refuseOptions, unsupported, unsupportedPart } from "./unsupported.ts";

/** The newest version, which refuses sampling options, and the one before it. */
const VERSION = "2026-10-21";
const VERSION_WITH_SAMPLING = "2023-06-01";

function encodePart(part: ContentPart): Json {
  if (part.type === "text") return { type: "text", text: part.text };
  if (part.type !== "image_url") throw unsupportedPart(part.type, "Claude");
  const inline = parseDataUrl(part.image_url.url);
  const source = inline === undefined
    ? { type: "url", url: part.image_url.url }
    : { type: "base64", media_type: inline.mediaType, data: inline.data };
  return { type: "image", source };
}

function encodeContent(content: string | readonly ContentPart[]): Json[] {
  if (typeof content !== "string") return content.map(encodePart);
  return content === "" ? [] : [{ type: "text", text: content }];
}

type Turn = { role: "user" | "assistant"; content: Json[] };

function encodeTurn(message: Exclude<Message, SystemMessage>): Turn {
  switch (message.role) {
    case "user":
      return { role: "user", content: encodeContent(message.content) };
    case "tool": {
      const content = typeof message.content === "string"
        ? message.content
        : encodeContent(message.content);
      const result = { type: "tool_result", tool_use_id: message.tool_call_id, content };
      return { role: "user", content: [result] };
    }
    case "assistant": {
      if (message.native?.format === "claude") {
        return { role: "assistant", content: message.native.content as Json[] };
      }
      const calls = (message.tool_calls ?? []).map((call) => ({
        type: "tool_use",
        id: call.id,
        name: call.function.name,
        input: parseArguments(call),
      }));
      return { role: "assistant", content: [...encodeContent(message.content ?? ""), ...calls] };
    }
  }
}

/** Turns of one role that follow each other become one: all tool results must stand together. */
function encodeMessages(messages: readonly Message[]): { system: TextPart[]; turns: Turn[] } {
  const system: TextPart[] = [];
  const turns: Turn[] = [];
  for (const message of messages) {
    if (isSystemMessage(message)) {
      const { content } = message;
      system.push(
        ...(typeof content === "string"
          ? [{ type: "text", text: content }]
          : content) as TextPart[],
      );
      continue;
    }
    const turn = encodeTurn(message);
    // The API refuses turns in which nothing is said.
    if (turn.content.length === 0) continue;
    const last = turns.at(-1);
    if (last?.role === turn.role) last.content = [...last.content, ...turn.content];
    else turns.push(turn);
  }
  return { system, turns };
}

function encodeToolChoice(
  choice: ToolChoice | undefined,
  parallel: boolean | undefined,
  model: string,
  { forcedTools }: ClaudeModel,
): Json | undefined {
  const disable_parallel_tool_use = parallel === false ? true : undefined;
  if (choice === undefined || choice === "auto") {
    return choice === undefined && parallel === undefined
      ? undefined
      : { type: "auto", disable_parallel_tool_use };
  }
  if (choice === "none") return { type: "none" };
  if (!forcedTools) {
    throw unsupported("toolChoice", model, 'This model chooses by itself: use "auto" or "none".');
  }
  if (choice === "required") return { type: "any", disable_parallel_tool_use };
  if (choice.type === "allowed_tools") throw unsupported("toolChoice allowed_tools", "Claude");
  return { type: "tool", name: choice.function.name, disable_parallel_tool_use };
}

function encodeFormat(format: ResponseFormat | undefined): Json | undefined {
  if (format === undefined || format.type === "text") return undefined;
  if (format.type === "json_object") {
    throw unsupported("responseFormat json_object", "Claude", "Give a json_schema instead.");
  }
  return { type: "json_schema", schema: format.json_schema.schema };
}

const SAMPLING = ["temperature", "topP", "topK"] as const;

function hasSampling(options: SamplingOptions): boolean {
  return SAMPLING.some((name) => options[name] !== undefined);
}

function encodeBody(request: ChatRequest, model: ClaudeModel): string {
  const { options } = request;
  refuseOptions(options, ["seed", "presencePenalty", "frequencyPenalty"], "Claude");
  if (!model.sampling) {
    refuseOptions(options, SAMPLING, request.model, "This model generation samples by itself.");
  }
  const { system, turns } = encodeMessages(request.messages);
  const { thinking, effort, maxTokens } = claudeThinking(request.model, model, options);
  if (thinking?.type === "enabled" && hasSampling(options)) {
    refuseOptions(options, ["temperature", "topK"], `${request.model} with thinking`);
  }
  const format = encodeFormat(options.responseFormat);
  const choice = options.tools && encodeToolChoice(
    options.toolChoice,
    options.parallelToolCalls,
    request.model,
    model,
  );
  if (thinking?.type === "enabled" && (choice?.type === "any" || choice?.type === "tool")) {
    throw new ConfigurationError(`${request.model} cannot think when a tool is forced`, {
      hint: 'Use toolChoice "auto", or thinking: false.',
    });
  }
  const body: Json = {
    model: request.model,
    max_tokens: maxTokens,
    system: system.length === 0 ? undefined : system.length === 1 ? system[0].text : system,
    messages: turns,
    stream: request.stream ? true : undefined,
    temperature: options.temperature,
    top_p: options.topP,
    top_k: options.topK,
    stop_sequences: typeof options.stop === "string" ? [options.stop] : options.stop,
    tools: options.tools?.map((tool) => {
      if (!isFunctionTool(tool)) return tool;
      const { function: { name, description, parameters, strict } } = tool;
      const input_schema = parameters ?? { type: "object", properties: {} };
      return { name, description, input_schema, strict };
    }),
    tool_choice: choice,
    thinking,
    output_config: effort === undefined && format === undefined ? undefined : { effort, format },
  };
  const defaults = options.maxTokens === undefined ? ["max_tokens"] : [];
  return JSON.stringify(mergeExtraBody(body, options.extraBody, defaults));
}

/** Makes the encoder of one endpoint. */
export function encoder(endpoint: Endpoint): (request: ChatRequest) => EncodedRequest {
  const url = requestUrl(endpoint, "/messages");
  return (request: ChatRequest) => {
    const model = claudeModel(request.model);
    const headers = jsonHeaders(endpoint, "x-api-key", {
      "anthropic-version": model.sampling && hasSampling(request.options)
        ? VERSION_WITH_SAMPLING
        : VERSION,
    });
    return { url, headers, body: encodeBody(request, model) };
  };
}
