/** Streams as providers of each format send them, with what they say. */
import type { Json } from "../../lib/json/json.ts";
import { CHAT, CLAUDE, type Format, GEMINI, RESPONSES } from "./serve_formats.ts";

/** A recorded stream. */
export interface RecordedStream {
  format: Format;
  /** The events, each with its blank line. */
  events: string[];
  /** The number of events before the first content. */
  before: number;
  /** The number of events after which the answer is complete. */
  complete: number;
}

/** One event as most servers write it. */
export function sse(data: Json | string, event?: string): string {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  return `${event === undefined ? "" : `event: ${event}\n`}data: ${text}\n\n`;
}

const typed = (data: Json & { type: string }) => sse(data, data.type);

/** A chunk of Chat Completions. */
export function chunk(delta: Json | undefined, fields: Json = {}, finish: string | null = null) {
  const choices = delta === undefined ? [] : [{ index: 0, delta, finish_reason: finish }];
  return sse({ id: "c", object: "chat.completion.chunk", model: "gpt-5.4", choices, ...fields });
}

const chatUsage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };

export const CHAT_STREAM: RecordedStream = {
  format: CHAT,
  events: [
    chunk({ role: "assistant", content: "" }),
    ": comment\n\n",
    chunk({ content: "Grüße, " }),
    chunk({ content: "世界 😀" }),
    chunk({}, {}, "stop"),
    chunk(undefined, { usage: chatUsage }),
    sse("[DONE]"),
  ],
  before: 2,
  complete: 5,
};

export const CLAUDE_STREAM: RecordedStream = {
  format: CLAUDE,
  events: [
    typed({
      type: "message_start",
      message: {
        id: "msg_1",
        type: "message",
        role: "assistant",
        model: "claude-opus-4-8",
        content: [],
        stop_reason: null,
        usage: { input_tokens: 9, output_tokens: 1 },
      },
    }),
    typed({
      type: "content_block_start",
      index: 0,
      content_block: { type: "thinking", thinking: "", signature: "" },
    }),
    // As Anthropic writes it.
    'event: ping\ndata: {"type": "ping"}\n\n',
    typed({
      type: "content_block_delta",
      index: 0,
      delta: { type: "thinking_delta", thinking: "Hm." },
    }),
    typed({
      type: "content_block_delta",
      index: 0,
      delta: { type: "signature_delta", signature: "EqQBCg==" },
    }),
    typed({ type: "content_block_stop", index: 0 }),
    typed({ type: "content_block_start", index: 1, content_block: { type: "text", text: "" } }),
    typed({
      type: "content_block_delta",
      index: 1,
      delta: { type: "text_delta", text: "Grüße, 世界 😀" },
    }),
    typed({ type: "content_block_stop", index: 1 }),
    typed({
      type: "message_delta",
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { output_tokens: 3 },
    }),
    typed({ type: "message_stop" }),
  ],
  before: 3,
  complete: 10,
};

const response = (fields: Json) => ({
  id: "resp_1",
  object: "response",
  model: "gpt-5.4",
  output: [],
  ...fields,
});

const reasoningItem = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAAA" };
const messageItem = {
  type: "message",
  id: "msg_1",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text: "Grüße, 世界 😀", annotations: [] }],
};

const textPart = { output_index: 1, item_id: "msg_1", content_index: 0 };

export const RESPONSES_STREAM: RecordedStream = {
  format: RESPONSES,
  events: [
    typed({ type: "response.created", sequence_number: 0, response: response({}) }),
    typed({
      type: "response.output_item.added",
      output_index: 0,
      item: { type: "reasoning", id: "rs_1", summary: [] },
    }),
    typed({ type: "response.output_item.done", output_index: 0, item: reasoningItem }),
    typed({
      type: "response.output_item.added",
      output_index: 1,
      item: { ...messageItem, status: "in_progress", content: [] },
    }),
    typed({
      type: "response.content_part.added",
      ...textPart,
      part: { type: "output_text", text: "", annotations: [] },
    }),
    typed({ type: "response.output_text.delta", ...textPart, delta: "Grüße, " }),
    typed({ type: "response.output_text.delta", ...textPart, delta: "世界 😀" }),
    typed({ type: "response.output_text.done", ...textPart, text: "Grüße, 世界 😀" }),
    typed({ type: "response.content_part.done", ...textPart, part: messageItem.content[0] }),
    typed({ type: "response.output_item.done", output_index: 1, item: messageItem }),
    typed({
      type: "response.completed",
      response: response({
        status: "completed",
        output: [reasoningItem, messageItem],
        usage: { input_tokens: 9, output_tokens: 3, total_tokens: 12 },
      }),
    }),
  ],
  before: 5,
  complete: 11,
};

const gemini = (parts: Json[], fields: Json = {}, candidate: Json = {}) => ({
  candidates: [{ index: 0, content: { role: "model", parts }, ...candidate }],
  modelVersion: "gemini-3-pro",
  responseId: "r1",
  ...fields,
});

/** The chunks of Gemini's stream. */
export const GEMINI_CHUNKS: Json[] = [
  gemini([{ text: "Hm.", thought: true }]),
  gemini([{ text: "Grüße, " }]),
  gemini([{ text: "世界 😀", thoughtSignature: "CiQB" }]),
  gemini([{ text: "" }], {
    usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 3, totalTokenCount: 12 },
  }, { finishReason: "STOP" }),
];

export const GEMINI_STREAM: RecordedStream = {
  format: GEMINI,
  events: GEMINI_CHUNKS.map((chunk) => sse(chunk).replaceAll("\n", "\r\n")),
  before: 0,
  complete: 4,
};

/** A stream of each format. All say the same and use 9 and 3 tokens. */
export const STREAMS: readonly RecordedStream[] = [
  CHAT_STREAM,
  CLAUDE_STREAM,
  RESPONSES_STREAM,
  GEMINI_STREAM,
];

/** What all of them say. */
export const STREAMED_TEXT = "Grüße, 世界 😀";
