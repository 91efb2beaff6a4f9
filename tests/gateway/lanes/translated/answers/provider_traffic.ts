/**
 * Answers of each provider in its own format: streamed, and whole where that differs.
 *
 * Sources: Anthropic API reference, "Streaming messages" and "Extended thinking"; OpenAI API reference, "Chat
 * Completions › Streaming" and "Responses › Streaming events"; DeepSeek, "Thinking Mode"; Gemini API reference,
 * "models.streamGenerateContent" and "Thought signatures".
 */
import type { Json } from "../../../../../lib/json/json.ts";

/** What happens in one answer. */
export type Scenario =
  | "text"
  | "thinking"
  | "tools"
  | "refusal"
  | "length"
  | "error"
  | "truncated";

export interface Traffic {
  /** The body of the streamed answer. */
  stream: string;
  /** The body of the plain answer; absent for streams that break. */
  plain?: string;
}

export type ProviderTraffic = Record<Scenario, Traffic>;

const data = (event: unknown) => `data: ${JSON.stringify(event)}\n\n`;
const named = (event: Json) => `event: ${event.type}\n${data(event)}`;

// ---- Chat Completions, as DeepSeek and OpenAI answer

const CHAT_HEAD = { id: "chatcmpl-9x", created: 1_780_000_000, model: "deepseek-v4-pro" };

function chatChunk(delta: Json, finish_reason: string | null = null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason }];
  return data({ ...CHAT_HEAD, object: "chat.completion.chunk", choices, usage: null });
}

const CHAT_USAGE = {
  prompt_tokens: 100,
  completion_tokens: 20,
  total_tokens: 120,
  prompt_tokens_details: { cached_tokens: 64 },
  completion_tokens_details: { reasoning_tokens: 8 },
};

function chatEnd(finish_reason: string): string {
  return chatChunk({}, finish_reason) +
    data({ ...CHAT_HEAD, object: "chat.completion.chunk", choices: [], usage: CHAT_USAGE }) +
    "data: [DONE]\n\n";
}

function chatPlain(message: Json, finish_reason: string): string {
  return JSON.stringify({
    ...CHAT_HEAD,
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason }],
    usage: CHAT_USAGE,
  });
}

const chatCall = (index: number, call: Json) => chatChunk({ tool_calls: [{ index, ...call }] });
const CHAT_START = chatChunk({ role: "assistant", content: "" });
const CHAT_TEXT = CHAT_START + chatChunk({ content: "Grüße, " }) + chatChunk({ content: "Welt." });

export const CHAT_TRAFFIC: ProviderTraffic = {
  text: {
    stream: CHAT_TEXT + chatEnd("stop"),
    plain: chatPlain({ content: "Grüße, Welt." }, "stop"),
  },
  thinking: {
    stream: CHAT_START + chatChunk({ reasoning_content: "Let me " }) +
      chatChunk({ reasoning_content: "see." }) + chatChunk({ content: "42" }) + chatEnd("stop"),
    plain: chatPlain({ reasoning_content: "Let me see.", content: "42" }, "stop"),
  },
  tools: {
    // The pieces of parallel calls come in turn, and the second call's first piece has arguments.
    stream: CHAT_START + chatChunk({ reasoning_content: "Two calls." }) +
      chatChunk({ content: "Checking." }) +
      chatCall(0, {
        id: "call_a1",
        type: "function",
        function: { name: "weather", arguments: "" },
      }) +
      chatCall(0, { function: { arguments: '{"city":' } }) +
      chatCall(1, {
        id: "call_b2",
        type: "function",
        function: { name: "time", arguments: '{"zone"' },
      }) +
      chatCall(0, { function: { arguments: '"Köln"}' } }) +
      chatCall(1, { function: { arguments: ':"CET"}' } }) + chatEnd("tool_calls"),
    plain: chatPlain({
      reasoning_content: "Two calls.",
      content: "Checking.",
      tool_calls: [
        {
          id: "call_a1",
          type: "function",
          function: { name: "weather", arguments: '{"city":"Köln"}' },
        },
        {
          id: "call_b2",
          type: "function",
          function: { name: "time", arguments: '{"zone":"CET"}' },
        },
      ],
    }, "tool_calls"),
  },
  refusal: {
    stream: chatChunk({ role: "assistant", content: null, refusal: "" }) +
      chatChunk({ refusal: "I can't " }) + chatChunk({ refusal: "do that." }) + chatEnd("stop"),
    plain: chatPlain({ content: null, refusal: "I can't do that." }, "stop"),
  },
  length: {
    stream: CHAT_TEXT + chatEnd("length"),
    plain: chatPlain({ content: "Grüße, Welt." }, "length"),
  },
  error: {
    stream: CHAT_TEXT + data({ error: { message: "Worker lost.", code: 502 } }),
  },
  truncated: { stream: CHAT_TEXT },
};

// ---- Messages, as Anthropic answers

const CLAUDE_START = named({
  type: "message_start",
  message: {
    id: "msg_01",
    type: "message",
    role: "assistant",
    model: "claude-opus-5",
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: {
      input_tokens: 30,
      cache_read_input_tokens: 60,
      cache_creation_input_tokens: 10,
      output_tokens: 1,
    },
  },
}) + named({ type: "ping" });

const CLAUDE_USAGE = {
  input_tokens: 30,
  cache_read_input_tokens: 60,
  cache_creation_input_tokens: 10,
  output_tokens: 20,
};

function claudeBlock(index: number, content_block: Json, deltas: readonly Json[]): string {
  return named({ type: "content_block_start", index, content_block }) +
    deltas.map((delta) => named({ type: "content_block_delta", index, delta })).join("") +
    named({ type: "content_block_stop", index });
}

function claudeEnd(stop_reason: string, fields: Json = {}): string {
  return named({
    type: "message_delta",
    delta: { stop_reason, stop_sequence: null, ...fields },
    usage: CLAUDE_USAGE,
  }) + named({ type: "message_stop" });
}

function claudePlain(content: readonly Json[], stop_reason: string, fields: Json = {}): string {
  return JSON.stringify({
    id: "msg_01",
    type: "message",
    role: "assistant",
    model: "claude-opus-5",
    content,
    stop_reason,
    stop_sequence: null,
    usage: CLAUDE_USAGE,
    ...fields,
  });
}

const claudeText = (index: number, ...texts: string[]) =>
  claudeBlock(
    index,
    { type: "text", text: "" },
    texts.map((text) => ({ type: "text_delta", text })),
  );
const inputs = (...pieces: string[]) =>
  pieces.map((partial_json) => ({ type: "input_json_delta", partial_json }));
export const CLAUDE_SIGNATURE = "EqQBCkYIBRgCKkDsignature+of/Claude==";
const CLAUDE_THINKING = claudeBlock(0, { type: "thinking", thinking: "", signature: "" }, [
  { type: "thinking_delta", thinking: "Let me " },
  { type: "thinking_delta", thinking: "see." },
  { type: "signature_delta", signature: CLAUDE_SIGNATURE },
]);
const CLAUDE_THOUGHT = {
  type: "thinking",
  thinking: "Let me see.",
  signature: CLAUDE_SIGNATURE,
};
const REFUSED = {
  stop_details: { type: "refusal", category: null, explanation: "I can't do that." },
};

export const CLAUDE_TRAFFIC: ProviderTraffic = {
  text: {
    stream: CLAUDE_START + claudeText(0, "Grüße, ", "Welt.") + claudeEnd("end_turn"),
    plain: claudePlain([{ type: "text", text: "Grüße, Welt." }], "end_turn"),
  },
  thinking: {
    stream: CLAUDE_START + CLAUDE_THINKING + claudeText(1, "42") + claudeEnd("end_turn"),
    plain: claudePlain([CLAUDE_THOUGHT, { type: "text", text: "42" }], "end_turn"),
  },
  tools: {
    stream: CLAUDE_START + CLAUDE_THINKING + claudeText(1, "Checking.") +
      claudeBlock(
        2,
        { type: "tool_use", id: "toolu_a1", name: "weather", input: {} },
        inputs("", '{"city":', '"Köln"}'),
      ) +
      claudeBlock(
        3,
        { type: "tool_use", id: "toolu_b2", name: "time", input: {} },
        inputs('{"zone":"CET"}'),
      ) + claudeEnd("tool_use"),
    plain: claudePlain([
      CLAUDE_THOUGHT,
      { type: "text", text: "Checking." },
      { type: "tool_use", id: "toolu_a1", name: "weather", input: { city: "Köln" } },
      { type: "tool_use", id: "toolu_b2", name: "time", input: { zone: "CET" } },
    ], "tool_use"),
  },
  refusal: {
    stream: CLAUDE_START + claudeEnd("refusal", REFUSED),
    plain: claudePlain([], "refusal", REFUSED),
  },
  length: {
    stream: CLAUDE_START + claudeText(0, "Grüße, ", "Welt.") + claudeEnd("max_tokens"),
    plain: claudePlain([{ type: "text", text: "Grüße, Welt." }], "max_tokens"),
  },
  error: {
    stream: CLAUDE_START + claudeText(0, "Grüße, ", "Welt.") +
      named({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }),
  },
  truncated: { stream: CLAUDE_START + claudeText(0, "Grüße, ", "Welt.") },
};

// ---- Responses, as OpenAI answers

const RESPONSE_USAGE = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 64 },
  output_tokens: 20,
  output_tokens_details: { reasoning_tokens: 8 },
  total_tokens: 120,
};

function response(status: string, output: readonly Json[], fields: Json = {}): Json {
  return {
    id: "resp_01",
    object: "response",
    created_at: 1_780_000_000,
    status,
    model: "gpt-6-sol",
    output,
    usage: status === "in_progress" ? null : RESPONSE_USAGE,
    ...fields,
  };
}

const RESPONSE_START = named({
  type: "response.created",
  response: response("in_progress", []),
}) + named({ type: "response.in_progress", response: response("in_progress", []) });

export const OPENAI_ENCRYPTED = "gAAAAABo_encrypted-reasoning_of-OpenAI==";
const REASONING = {
  type: "reasoning",
  id: "rs_01",
  summary: [{ type: "summary_text", text: "Let me see." }],
  encrypted_content: OPENAI_ENCRYPTED,
};
const REASONING_EVENTS = named({
  type: "response.output_item.added",
  output_index: 0,
  item: { ...REASONING, summary: [], encrypted_content: "gAAAAABo_partial" },
}) +
  named({
    type: "response.reasoning_summary_part.added",
    item_id: "rs_01",
    output_index: 0,
    summary_index: 0,
    part: { type: "summary_text", text: "" },
  }) +
  named({
    type: "response.reasoning_summary_text.delta",
    item_id: "rs_01",
    output_index: 0,
    summary_index: 0,
    delta: "Let me see.",
  }) +
  named({
    type: "response.reasoning_summary_text.done",
    item_id: "rs_01",
    output_index: 0,
    summary_index: 0,
    text: "Let me see.",
  }) +
  named({ type: "response.output_item.done", output_index: 0, item: REASONING });

function messageItem(part: Json): Json {
  return { type: "message", id: "msg_01", role: "assistant", status: "completed", content: [part] };
}

const outputText = (text: string) => ({ type: "output_text", text, annotations: [] });

function messageEvents(output_index: number, part: Json, kind: string, deltas: string[]): string {
  const at = { item_id: "msg_01", output_index, content_index: 0 };
  const empty = { ...messageItem(part), status: "in_progress", content: [] };
  return named({ type: "response.output_item.added", output_index, item: empty }) +
    deltas.map((delta) => named({ type: `response.${kind}.delta`, ...at, delta })).join("") +
    named({ type: "response.output_item.done", output_index, item: messageItem(part) });
}

function callItem(id: string, name: string, args: string): Json {
  return { type: "function_call", id: `fc_${id}`, call_id: `call_${id}`, name, arguments: args };
}

function callEvents(output_index: number, item: Json, pieces: string[]): string {
  const at = { item_id: item.id, output_index };
  return named({
    type: "response.output_item.added",
    output_index,
    item: { ...item, arguments: "" },
  }) +
    pieces.map((delta) => named({ type: "response.function_call_arguments.delta", ...at, delta }))
      .join("") +
    named({
      type: "response.function_call_arguments.done",
      ...at,
      arguments: item.arguments,
    }) +
    named({ type: "response.output_item.done", output_index, item });
}

const RESPONSE_TEXT = RESPONSE_START +
  messageEvents(0, outputText("Grüße, Welt."), "output_text", ["Grüße, ", "Welt."]);
const REFUSAL = { type: "refusal", refusal: "I can't do that." };
const WEATHER = callItem("a1", "weather", '{"city":"Köln"}');
const TIME = callItem("b2", "time", '{"zone":"CET"}');

function responseTraffic(events: string, output: readonly Json[]): Traffic {
  const whole = response("completed", output);
  return {
    stream: events + named({ type: "response.completed", response: whole }),
    plain: JSON.stringify(whole),
  };
}

const CUT_OFF = response("incomplete", [messageItem(outputText("Grüße, Welt."))], {
  incomplete_details: { reason: "max_output_tokens" },
});

export const RESPONSES_TRAFFIC: ProviderTraffic = {
  text: responseTraffic(RESPONSE_TEXT, [messageItem(outputText("Grüße, Welt."))]),
  thinking: responseTraffic(
    RESPONSE_START + REASONING_EVENTS + messageEvents(1, outputText("42"), "output_text", ["42"]),
    [REASONING, messageItem(outputText("42"))],
  ),
  tools: responseTraffic(
    RESPONSE_START + REASONING_EVENTS +
      messageEvents(1, outputText("Checking."), "output_text", ["Checking."]) +
      callEvents(2, WEATHER, ['{"city":', '"Köln"}']) + callEvents(3, TIME, ['{"zone":"CET"}']),
    [REASONING, messageItem(outputText("Checking.")), WEATHER, TIME],
  ),
  refusal: responseTraffic(
    RESPONSE_START + messageEvents(0, REFUSAL, "refusal", ["I can't ", "do that."]),
    [messageItem(REFUSAL)],
  ),
  length: {
    stream: RESPONSE_TEXT + named({ type: "response.incomplete", response: CUT_OFF }),
    plain: JSON.stringify(CUT_OFF),
  },
  error: {
    stream: RESPONSE_TEXT + named({
      type: "response.failed",
      response: response("failed", [], {
        error: { code: "server_error", message: "Worker lost." },
      }),
    }),
  },
  truncated: { stream: RESPONSE_TEXT },
};

// ---- Gemini

const GEMINI_USAGE = {
  promptTokenCount: 100,
  cachedContentTokenCount: 64,
  candidatesTokenCount: 12,
  thoughtsTokenCount: 8,
  totalTokenCount: 120,
};

function geminiBody(parts: readonly Json[], finishReason?: string, fields: Json = {}): Json {
  return {
    candidates: [{ index: 0, content: { role: "model", parts }, finishReason, ...fields }],
    usageMetadata: GEMINI_USAGE,
    modelVersion: "gemini-3-pro",
    responseId: "r01",
  };
}

export const GEMINI_SIGNATURE = "CiQBcsjafSignature/of+Gemini==";

const GEMINI_CALLS = [
  {
    functionCall: { name: "weather", args: { city: "Köln" } },
    thoughtSignature: GEMINI_SIGNATURE,
  },
  { functionCall: { name: "time", args: { zone: "CET" } } },
];

function geminiTraffic(chunks: readonly Json[][], reason: string, fields: Json = {}): Traffic {
  const events = chunks.map((parts, i) =>
    data(i === chunks.length - 1 ? geminiBody(parts, reason, fields) : geminiBody(parts))
  );
  return {
    stream: events.join(""),
    plain: JSON.stringify(geminiBody(chunks.flat(), reason, fields)),
  };
}

const GEMINI_TEXT = [[{ text: "Grüße, " }], [{ text: "Welt." }]];

export const GEMINI_TRAFFIC: ProviderTraffic = {
  text: geminiTraffic(GEMINI_TEXT, "STOP"),
  thinking: geminiTraffic([
    [{ text: "Let me see.", thought: true }],
    [{ text: "42" }],
    [{ text: "", thoughtSignature: GEMINI_SIGNATURE }],
  ], "STOP"),
  tools: geminiTraffic([
    [{ text: "Two calls.", thought: true }],
    [{ text: "Checking." }],
    GEMINI_CALLS,
  ], "STOP"),
  refusal: geminiTraffic([[]], "SAFETY", { finishMessage: "I can't do that." }),
  length: geminiTraffic(GEMINI_TEXT, "MAX_TOKENS"),
  error: {
    stream: GEMINI_TEXT.map((parts) => data(geminiBody(parts))).join("") +
      data({ error: { code: 503, message: "Overloaded", status: "UNAVAILABLE" } }),
  },
  truncated: { stream: GEMINI_TEXT.map((parts) => data(geminiBody(parts))).join("") },
};
