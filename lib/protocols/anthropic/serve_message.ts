/**
 * Encodes results as messages of Anthropic's Messages API.
 *
 * Source: Anthropic API reference, "Messages" and "Stop reasons", and the types of `@anthropic-ai/sdk` 1.12.
 *
 * @module
 */
import type { Citation, FinishReason } from "../../chat/result.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import { asObject, asObjects, type Json } from "../../json/json.ts";
import { textOf } from "../openai_chat/serve_result.ts";
import type { Usage } from "../../usage.ts";
import type { ResponseHead, ServerChoice, ServerRequest, ServerResponse } from "../serve.ts";
import { encodeToolCall } from "./tools.ts";

/** Encodes a citation as one of a web search. Its position is that of its block. */
export function encodeCitation({ url = "", title, text = "" }: Citation): Json {
  return {
    type: "web_search_result_location",
    cited_text: text,
    encrypted_index: btoa("placeholder"),
    title: title ?? null,
    url,
  };
}

/** A thinking block. Its signature is a placeholder, which Anthropic would reject. */
export function thinkingBlock(id: string, thinking: string, request: ServerRequest): Json {
  const isOmitted = asObject(request.body.thinking)?.display === "omitted";
  return {
    type: "thinking",
    thinking: isOmitted ? "" : thinking,
    signature: btoa(`signature ${id}`),
  };
}

/** A tool use block. */
export function toolUseBlock(call: ToolCall): Json {
  return { ...encodeToolCall(call, call.id), caller: { type: "direct" } };
}

/** Blocks are never empty, but an empty answer has one empty block. */
function hasTextBlock(choice: ServerChoice): boolean {
  const { toolCalls, refusal, finishReason } = choice;
  return textOf(choice) !== "" ||
    toolCalls.length === 0 && refusal === null && finishReason !== "length";
}

function encodeBlocks(id: string, choice: ServerChoice, request: ServerRequest): Json[] {
  const { providerMessage, thinking, citations = [], toolCalls } = choice;
  if (providerMessage?.format === "claude") return asObjects(providerMessage.content);
  const blocks: Json[] = [];
  if (thinking) blocks.push(thinkingBlock(id, thinking, request));
  if (hasTextBlock(choice)) {
    blocks.push({
      type: "text",
      text: textOf(choice),
      citations: citations.length === 0 ? null : citations.map(encodeCitation),
    });
  }
  return [...blocks, ...toolCalls.map(toolUseBlock)];
}

const STOP_REASONS: Readonly<Record<FinishReason, string>> = {
  stop: "end_turn",
  length: "max_tokens",
  tool_calls: "tool_use",
  content_filter: "refusal",
  // Not a reason of Anthropic's, whose list is open.
  other: "other",
};

/** Why a message ended. */
export interface MessageEnd {
  finishReason: FinishReason;
  refusal: string | null;
  stopSequence?: string;
}

/** Encodes why a message ended; streams have an event of their own for it. */
export function encodeEnd({ finishReason, refusal, stopSequence }: MessageEnd): Json {
  return {
    stop_reason: stopSequence === undefined ? STOP_REASONS[finishReason] : "stop_sequence",
    stop_sequence: stopSequence ?? null,
    stop_details: finishReason === "content_filter"
      ? { type: "refusal", category: null, explanation: refusal }
      : null,
    container: null,
  };
}

/** Encodes token counts. Input tokens don't include cached ones here. */
export function encodeUsage(usage: Usage | null): Json {
  const { promptTokens = 0, cachedTokens = 0, cacheWriteTokens = 0 } = usage ?? {};
  return {
    input_tokens: promptTokens - cachedTokens - cacheWriteTokens,
    output_tokens: usage?.completionTokens ?? 0,
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedTokens,
    output_tokens_details: { thinking_tokens: usage?.reasoningTokens ?? 0 },
    server_tool_use: null,
  };
}

/** Encodes a message with the given blocks. */
export function encodeMessage(
  { id, model }: ResponseHead,
  { body }: ServerRequest,
  content: readonly Json[],
  end: MessageEnd,
  usage: Usage | null,
): Json & { usage: Json } {
  const hour = usage?.cacheWriteHourTokens ?? 0;
  return {
    id: `msg_${id}`,
    type: "message",
    role: "assistant",
    model,
    content,
    diagnostics: body.diagnostics ? { cache_miss_reason: null } : null,
    ...encodeEnd(end),
    usage: {
      ...encodeUsage(usage),
      cache_creation: {
        ephemeral_5m_input_tokens: (usage?.cacheWriteTokens ?? 0) - hour,
        ephemeral_1h_input_tokens: hour,
      },
      inference_geo: body.inference_geo ?? null,
      service_tier: "standard",
      speed: body.speed ?? "standard",
    },
  };
}

/** Encodes a whole answer. */
export function encodeResponse(response: ServerResponse, request: ServerRequest): unknown {
  const { id, usage, choices: [choice] } = response;
  return encodeMessage(response, request, encodeBlocks(id, choice, request), choice, usage);
}
