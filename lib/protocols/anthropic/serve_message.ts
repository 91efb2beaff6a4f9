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

/**
 * Encodes a citation as one of a web search; `undefined` if it cites no URL. Its position is that of its block.
 */
export function encodeCitation(
  { url, title, text = "" }: Citation,
  { isSimulated }: ResponseHead,
): Json | undefined {
  if (url === undefined) return undefined;
  return {
    type: "web_search_result_location",
    cited_text: text,
    encrypted_index: isSimulated ? btoa("placeholder") : "",
    title: title ?? null,
    url,
  };
}

/**
 * A thinking block. A simulated answer's signature is a placeholder, which Anthropic would reject; an empty
 * one says that the thinking is not signed.
 */
export function thinkingBlock(thinking: string, head: ResponseHead, request: ServerRequest): Json {
  return {
    type: "thinking",
    thinking: isThinkingOmitted(request) ? "" : thinking,
    signature: head.isSimulated ? btoa(`signature ${head.id}`) : "",
  };
}

/** Whether the client wants thinking blocks only for their signatures. */
export function isThinkingOmitted({ body }: ServerRequest): boolean {
  return asObject(body.thinking)?.display === "omitted";
}

/** Whether a thinking block would tell the client anything. */
export function hasThinkingBlock(head: ResponseHead, request: ServerRequest): boolean {
  return head.isSimulated === true || !isThinkingOmitted(request);
}

/**
 * A block whose content only the provider can read. It holds the envelope of a provider's message.
 *
 * Only answers with tool calls have one: providers need their reasoning back to continue after the results. In
 * other answers the last block must be the text, which is what Claude Code prints.
 */
export function redactedBlock(data: string): Json {
  return { type: "redacted_thinking", data };
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

function encodeBlocks(choice: ServerChoice, head: ResponseHead, request: ServerRequest): Json[] {
  const { providerMessage, thinking, toolCalls, carried } = choice;
  if (providerMessage?.format === "claude") return asObjects(providerMessage.content);
  const blocks: Json[] = [];
  if (thinking && hasThinkingBlock(head, request)) {
    blocks.push(thinkingBlock(thinking, head, request));
  }
  if (hasTextBlock(choice)) {
    const citations = (choice.citations ?? []).map((citation) => encodeCitation(citation, head))
      .filter((citation) => citation !== undefined);
    blocks.push({
      type: "text",
      text: textOf(choice),
      citations: citations.length === 0 ? null : citations,
    });
  }
  blocks.push(...toolCalls.map(toolUseBlock));
  if (carried !== undefined && toolCalls.length > 0) blocks.push(redactedBlock(carried.envelope));
  return blocks;
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
export function encodeUsage(usage: Usage | null, { isSimulated }: ResponseHead): Json {
  const { promptTokens = 0, cachedTokens, cacheWriteTokens, reasoningTokens } = usage ?? {};
  const unknown = isSimulated ? 0 : null;
  return {
    input_tokens: promptTokens - (cachedTokens ?? 0) - (cacheWriteTokens ?? 0),
    output_tokens: usage?.completionTokens ?? 0,
    cache_creation_input_tokens: cacheWriteTokens ?? unknown,
    cache_read_input_tokens: cachedTokens ?? unknown,
    output_tokens_details: isSimulated || reasoningTokens !== undefined
      ? { thinking_tokens: reasoningTokens ?? 0 }
      : null,
    server_tool_use: null,
  };
}

/** The parts of a message's usage that no event repeats. */
function encodeUsageOfMessage(usage: Usage | null, head: ResponseHead, body: Json): Json {
  const { cacheWriteTokens, cacheWriteHourTokens: hour = 0 } = usage ?? {};
  return {
    cache_creation: head.isSimulated || cacheWriteTokens !== undefined
      ? {
        ephemeral_5m_input_tokens: (cacheWriteTokens ?? 0) - hour,
        ephemeral_1h_input_tokens: hour,
      }
      : null,
    inference_geo: head.isSimulated ? body.inference_geo ?? null : null,
    service_tier: head.isSimulated ? "standard" : null,
    ...head.isSimulated ? { speed: body.speed ?? "standard" } : {},
  };
}

/** Encodes a message with the given blocks. */
export function encodeMessage(
  head: ResponseHead,
  { body }: ServerRequest,
  content: readonly Json[],
  end: MessageEnd,
  usage: Usage | null,
): Json & { usage: Json } {
  return {
    id: `msg_${head.id}`,
    type: "message",
    role: "assistant",
    model: head.model,
    content,
    diagnostics: body.diagnostics ? { cache_miss_reason: null } : null,
    ...encodeEnd(end),
    usage: {
      ...encodeUsage(usage, head),
      ...encodeUsageOfMessage(usage, head, body),
    },
  };
}

/** Encodes a whole answer. */
export function encodeResponse(response: ServerResponse, request: ServerRequest): unknown {
  const { usage, choices: [choice] } = response;
  return encodeMessage(response, request, encodeBlocks(choice, response, request), choice, usage);
}
