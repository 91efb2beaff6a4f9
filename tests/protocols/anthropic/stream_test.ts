/**
 * Streams of Anthropic's Messages API and of compatible servers.
 *
 * Wire format: Anthropic API reference, "Streaming messages"; "Refusals and fallback", "Streaming"; the
 * types of `@anthropic-ai/sdk` 1.12 (`BetaRawMessageStreamEvent`, `BetaContentBlock`).
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { StreamAccumulator } from "../../../lib/chat/events.ts";
import { anthropic } from "../../../lib/protocols/anthropic/anthropic.ts";
import { decodeEvent } from "../../support/decode_event.ts";

type Json = Record<string, unknown>;

function decodeStream(events: readonly (Json | string)[]) {
  const decoder = anthropic.streamDecoder();
  const total = new StreamAccumulator();
  for (const event of events) {
    const data = typeof event === "string" ? event : JSON.stringify(event);
    for (const each of decodeEvent(decoder, data)) total.add(each);
  }
  const { content, thinking, refusal, citations, toolCalls, usage, finishReason } = total;
  return {
    decoder,
    completion: { content, thinking, refusal, citations, toolCalls, usage, finishReason },
  };
}

const messageStart = (message: Json = {}) => ({
  type: "message_start",
  message: { id: "msg_1", type: "message", role: "assistant", model: "m", content: [], ...message },
});
const start = (index: number, content_block: Json) => ({
  type: "content_block_start",
  index,
  content_block,
});
const delta = (index: number, delta: Json) => ({ type: "content_block_delta", index, delta });
const text = (index: number, text: string) => delta(index, { type: "text_delta", text });
const json = (index: number, partial_json: string) =>
  delta(index, { type: "input_json_delta", partial_json });
const stop = (index: number) => ({ type: "content_block_stop", index });
const messageDelta = (stop_reason: string | null, fields: Json = {}) => ({
  type: "message_delta",
  delta: { stop_reason, ...fields },
});
const END = { type: "message_stop" };
const contentOf = (events: (Json | string)[]) =>
  decodeStream(events).decoder.providerMessage()!.content as Json[];

Deno.test("claude streams of server tools keep their blocks; only tool_use is a call", () => {
  const { decoder, completion } = decodeStream([
    messageStart(),
    start(0, { type: "server_tool_use", id: "s1", name: "web_search", input: {} }),
    json(0, ""),
    json(0, '{"query"'),
    json(0, ':"x"}'),
    stop(0),
    start(1, { type: "web_search_tool_result", tool_use_id: "s1", content: [{ url: "u" }] }),
    stop(1),
    start(2, { type: "mcp_tool_use", id: "m1", name: "f", server_name: "s", input: {} }),
    stop(2),
    start(3, { type: "compaction", content: null, encrypted_content: null }),
    delta(3, { type: "compaction_delta", content: "Summary.", encrypted_content: "e" }),
    stop(3),
    start(4, { type: "of_the_future", data: 1, text: "" }),
    delta(4, { type: "of_the_future_delta", more: 2 }),
    text(4, "not the answer"),
    stop(4),
    messageDelta("pause_turn"),
    END,
  ]);
  assert.deepEqual(decoder.providerMessage()!.content, [
    { type: "server_tool_use", id: "s1", name: "web_search", input: { query: "x" } },
    { type: "web_search_tool_result", tool_use_id: "s1", content: [{ url: "u" }] },
    { type: "mcp_tool_use", id: "m1", name: "f", server_name: "s", input: {} },
    { type: "compaction", content: "Summary.", encrypted_content: "e" },
    { type: "of_the_future", data: 1, more: 2, text: "not the answer" },
  ]);
  assert.deepEqual([completion.toolCalls, completion.content], [[], ""]);
  assert.equal(completion.finishReason, "other");
});

Deno.test("claude streams of tool calls survive input that is not JSON", () => {
  const events = [
    messageStart(),
    start(0, { type: "tool_use", id: "t1", name: "f", input: {} }),
    json(0, '{"a":'),
    messageDelta("max_tokens"),
    END,
  ];
  const { completion } = decodeStream(events);
  assert.equal(completion.toolCalls[0].function.arguments, '{"a":');
  assert.equal(completion.finishReason, "length");
  // The API only accepts objects back; "Fine-grained tool streaming" describes this one.
  assert.deepEqual(contentOf(events)[0].input, { INVALID_JSON: '{"a":' });
});

Deno.test("claude streams keep the numbers of a call's input as they were written", () => {
  const input = '{"id":1669700650467246081,"price":1.10}';
  const content = contentOf([
    messageStart(),
    start(0, { type: "tool_use", id: "t1", name: "f", input: {} }),
    json(0, input),
    messageDelta("tool_use"),
  ]);
  assert.equal(JSON.stringify(content[0].input), input);
});

Deno.test("claude streams may have whole blocks in their start events, or no start events", () => {
  const whole = decodeStream([
    messageStart(),
    start(0, { type: "thinking", thinking: "Hm.", signature: "s" }),
    start(1, { type: "text", text: "Hello" }),
    text(1, " you"),
    start(2, { type: "tool_use", id: "t", name: "f", input: { a: 1 } }),
    stop(2),
    messageDelta("tool_use"),
  ]).completion;
  assert.deepEqual([whole.thinking, whole.content], ["Hm.", "Hello you"]);
  assert.equal(whole.toolCalls[0].function.arguments, '{"a":1}');

  const none = [
    delta(0, { type: "thinking_delta", thinking: "Hm." }),
    text(0, "Hello"),
    json(7, '{"lost":1}'),
    messageDelta("end_turn"),
  ];
  assert.deepEqual(contentOf(none), [
    { type: "thinking", thinking: "Hm." },
    { type: "text", text: "Hello" },
  ]);

  // One index for all blocks.
  const repeated = [
    messageStart(),
    start(0, { type: "thinking", thinking: "" }),
    delta(0, { type: "thinking_delta", thinking: "Hm." }),
    start(0, { type: "text", text: "" }),
    text(0, "Hello"),
    messageDelta("end_turn"),
  ];
  assert.deepEqual(contentOf(repeated).map(({ type }) => type), ["thinking", "text"]);

  // A deferred tool call is in the first event.
  const first = decodeStream([
    messageStart({
      content: [{ type: "tool_use", id: "t", name: "f", input: { a: 1 } }],
      stop_reason: "tool_use",
    }),
    END,
  ]);
  assert.ok(first.decoder.complete);
  assert.equal(first.completion.toolCalls[0].function.arguments, '{"a":1}');
  assert.equal(first.completion.finishReason, "tool_calls");
});

Deno.test("claude streams end with what compatible servers send as their end", () => {
  const answer = [messageStart(), start(0, { type: "text", text: "" }), text(0, "Hi")];
  const call = [messageStart(), start(0, { type: "tool_use", id: "t", name: "f", input: {} })];
  const cases: [(Json | string)[], string, boolean][] = [
    [[...answer, messageDelta("end_turn")], "stop", false],
    [[...answer, END], "stop", true],
    [[...answer, "[DONE]"], "stop", true],
    [[...answer, messageDelta(null), END], "stop", true],
    [[...call, END], "tool_calls", true],
  ];
  for (const [events, reason, ended] of cases) {
    const { decoder, completion } = decodeStream(events);
    assert.deepEqual([completion.finishReason, decoder.complete, decoder.ended], [
      reason,
      true,
      ended,
    ]);
  }
  assert.equal(decodeStream(call).decoder.complete, false);
  // An end without a start is not an answer.
  assert.equal(decodeStream(["[DONE]"]).decoder.complete, false);
  assert.equal(decodeStream([END]).decoder.complete, false);
});

Deno.test("claude streams count tokens in any event", () => {
  const usageOf = (...events: Json[]) => {
    const { usage } = decodeStream([...events, END]).completion;
    return usage && [usage.promptTokens, usage.cachedTokens, usage.completionTokens];
  };
  const startWith = (usage: unknown) => messageStart({ usage });
  const ended = (usage: unknown) => ({ ...messageDelta("end_turn"), usage });
  assert.deepEqual(usageOf(startWith({ input_tokens: 9, output_tokens: 4 })), [9, 0, 4]);
  assert.equal(usageOf(startWith({ input_tokens: null, output_tokens: null })), null);
  // z.ai: zeros first, then all counts (zai-org/GLM-5#139).
  assert.deepEqual(
    usageOf(
      startWith({ input_tokens: 0, output_tokens: 0 }),
      ended({ input_tokens: 14, cache_read_input_tokens: 6, output_tokens: 2 }),
    ),
    [20, 6, 2],
  );
  // Gateways: the prompt's count first, then zero.
  assert.deepEqual(
    usageOf(
      startWith({ input_tokens: 9, cache_read_input_tokens: 3, output_tokens: 1 }),
      ended({ input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 5 }),
    ),
    [12, 3, 5],
  );
  // A prompt that turned out to be cached is not counted twice.
  assert.deepEqual(
    usageOf(
      startWith({ input_tokens: 100, output_tokens: 1 }),
      ended({ input_tokens: 0, cache_read_input_tokens: 100, output_tokens: 5 }),
    ),
    [100, 100, 5],
  );
  // Server tools: the totals grow.
  assert.deepEqual(
    usageOf(
      startWith({ input_tokens: 43, output_tokens: 1 }),
      ended({ input_tokens: 61, cache_read_input_tokens: null, output_tokens: 2 }),
    ),
    [61, 0, 2],
  );
  assert.deepEqual(
    usageOf(startWith(undefined), messageDelta("end_turn", { usage: { output_tokens: 3 } })),
    [
      0,
      0,
      3,
    ],
  );
});

Deno.test("claude streams report the model, the bill, and what events cannot carry", () => {
  const container = { id: "container_1", expires_at: "2026-12-01T00:00:00Z" };
  const iterations = [
    { type: "message", model: "claude-fable-5", input_tokens: 408, output_tokens: 0 },
    { type: "fallback_message", model: "claude-opus-5", input_tokens: 412, output_tokens: 264 },
  ];
  const { decoder } = decodeStream([
    messageStart({ model: "claude-fable-5", usage: { input_tokens: 408, output_tokens: 1 } }),
    start(0, { type: "text", text: "Half" }),
    stop(0),
    start(1, {
      type: "fallback",
      from: { model: "claude-fable-5" },
      to: { model: "claude-opus-5" },
    }),
    stop(1),
    {
      ...messageDelta("end_turn", { container }),
      usage: {
        input_tokens: 412,
        output_tokens: 264,
        speed: "fast",
        server_tool_use: { web_search_requests: 2 },
        iterations,
      },
    },
    END,
  ]);
  assert.equal(decoder.model, "claude-opus-5");
  assert.equal(decoder.serviceTier, "fast");
  assert.deepEqual(decoder.billed?.map(({ model, usage }) => [model, usage.totalTokens]), [
    ["claude-opus-5", 676],
  ]);
  const raw = decoder.raw as Json;
  assert.deepEqual([raw.id, raw.container, raw.stop_reason], ["msg_1", container, "end_turn"]);
  assert.deepEqual((raw.usage as Json).server_tool_use, { web_search_requests: 2 });
});

Deno.test("claude stream errors equal those of the same error with a status", () => {
  const codes = (error: Json) => {
    try {
      decodeStream([messageStart(), { type: "error", error, request_id: "req_1" }]);
    } catch (error) {
      const { code, status, retryable } = error as {
        code: string;
        status: number;
        retryable: boolean;
      };
      return [code, status, retryable];
    }
  };
  const cases: [type: string, expected: [string, number, boolean]][] = [
    ["overloaded_error", ["http", 529, true]],
    ["api_error", ["http", 500, true]],
    ["timeout_error", ["http", 504, true]],
    ["rate_limit_error", ["rate_limit", 429, true]],
    ["invalid_request_error", ["http", 400, false]],
    ["authentication_error", ["authentication", 401, false]],
    ["billing_error", ["quota_exceeded", 402, false]],
  ];
  for (const [type, expected] of cases) assert.deepEqual(codes({ type, message: "no" }), expected);
  assert.throws(() => decodeStream([{ error: { message: "Loading model", code: 503 } }]), {
    status: 503,
    retryable: true,
  });
  // Thrown at the end of the stream, since counts may follow.
  const { decoder, completion } = decodeStream([
    messageStart(),
    { ...messageDelta("error"), usage: { input_tokens: 3, output_tokens: 2 } },
    END,
  ]);
  assert.equal(decoder.failure?.error.status, 502);
  assert.equal(decoder.failure?.usage?.totalTokens, 5);
  assert.equal(completion.finishReason, undefined);
});

Deno.test("claude streams of two answers are rejected, but not a repeated start", () => {
  const second = { code: "malformed_response", retryable: true };
  const first = [messageStart(), start(0, { type: "text", text: "Half" })];
  assert.throws(() => decodeStream([...first, messageStart({ id: "msg_2" })]), second);
  const { completion } = decodeStream([...first, messageStart(), text(0, "."), END]);
  assert.equal(completion.content, "Half.");
});

// Streams of random answers, split at random positions, decode to the same as the plain form.

const someText = fc.string({ unit: "binary", maxLength: 12 });
const input = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 });
const citation = fc.record({
  type: fc.constantFrom("web_search_result_location", "page_location", "search_result_location"),
  url: fc.option(fc.webUrl()),
  title: fc.option(fc.string()),
  cited_text: fc.string(),
});
const block: fc.Arbitrary<Json> = fc.oneof(
  fc.record({
    type: fc.constant("text"),
    text: someText,
    citations: fc.option(fc.array(citation, { maxLength: 2 })),
  }),
  fc.record({ type: fc.constant("thinking"), thinking: someText, signature: fc.string() }),
  fc.record({ type: fc.constant("redacted_thinking"), data: fc.string() }),
  fc.record({ type: fc.constant("tool_use"), id: fc.uuid(), name: fc.string(), input }),
  fc.record({
    type: fc.constantFrom("server_tool_use", "mcp_tool_use"),
    id: fc.uuid(),
    name: fc.string(),
    input,
  }),
  fc.record({
    type: fc.constantFrom("web_search_tool_result", "code_execution_tool_result", "of_the_future"),
    tool_use_id: fc.uuid(),
    content: fc.jsonValue(),
  }),
  fc.record({ type: fc.constant("compaction"), content: fc.option(fc.string()) }),
);
const tokens = fc.option(fc.nat(1000));
const usage = fc.record({
  input_tokens: tokens,
  output_tokens: tokens,
  cache_read_input_tokens: tokens,
  cache_creation: fc.option(fc.record({
    ephemeral_5m_input_tokens: fc.nat(100),
    ephemeral_1h_input_tokens: fc.nat(100),
  })),
  iterations: fc.option(fc.array(
    fc.record({
      type: fc.constantFrom("message", "compaction", "advisor_message", "fallback_message"),
      model: fc.constantFrom("a", "b"),
      input_tokens: fc.nat(1000),
      output_tokens: fc.nat(1000),
    }),
    { maxLength: 3 },
  )),
});
const message = fc.record({
  type: fc.constant("message"),
  role: fc.constant("assistant"),
  model: fc.constant("m"),
  content: fc.array(block, { maxLength: 6 }),
  stop_reason: fc.constantFrom("end_turn", "max_tokens", "tool_use", "refusal", "pause_turn"),
  stop_details: fc.option(fc.record({ explanation: fc.option(fc.string()) })),
  usage: fc.option(usage),
});

/** Splits a text into pieces of the given lengths, which may be 0. */
function cut(whole: string, lengths: number[]): string[] {
  const pieces: string[] = [];
  let rest = whole;
  for (const length of lengths) {
    pieces.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  return [...pieces, rest];
}

/** The start of a block, and its deltas. */
function streamed(block: Json, lengths: number[]): { start: Json; deltas: Json[] } {
  const pieces = (whole: unknown) => cut(String(whole), lengths);
  switch (block.type) {
    case "text": {
      const { citations } = block;
      const list = Array.isArray(citations) ? citations : [];
      return {
        start: { ...block, text: "", citations: list.length > 0 ? [] : citations },
        deltas: [
          ...list.map((citation) => ({ type: "citations_delta", citation })),
          ...pieces(block.text).map((text) => ({ type: "text_delta", text })),
        ],
      };
    }
    case "thinking":
      return {
        start: { ...block, thinking: "", signature: "" },
        deltas: [
          ...pieces(block.thinking).map((thinking) => ({ type: "thinking_delta", thinking })),
          { type: "signature_delta", signature: block.signature },
        ],
      };
    case "tool_use":
    case "server_tool_use":
    case "mcp_tool_use": {
      const whole = JSON.stringify(block.input);
      const partial = whole === "{}" ? [""] : pieces(whole);
      return {
        start: { ...block, input: {} },
        deltas: partial.map((partial_json) => ({ type: "input_json_delta", partial_json })),
      };
    }
    case "compaction":
      return {
        start: { ...block, content: null },
        deltas: [{ type: "compaction_delta", content: block.content }],
      };
    default:
      return { start: block, deltas: [] };
  }
}

Deno.test("claude streams decode to the same result as plain answers", () => {
  const lengths = fc.array(fc.nat(4), { maxLength: 4 });
  // As received over the wire.
  const received = message.map((message): typeof message => JSON.parse(JSON.stringify(message)));
  fc.assert(fc.property(received, lengths, fc.boolean(), (message, lengths, stops) => {
    const { content, stop_reason, stop_details, usage, ...rest } = message;
    const events: Json[] = [
      { type: "message_start", message: { ...rest, content: [], stop_reason: null } },
      { type: "ping" },
    ];
    for (const [index, block] of content.entries()) {
      const { start: begin, deltas } = streamed(block, lengths);
      events.push(start(index, begin), ...deltas.map((each) => delta(index, each)));
      // If the server omits this event, the next start or the end implies it.
      if (stops || block.type !== "text") events.push(stop(index));
    }
    events.push({ type: "message_delta", delta: { stop_reason, stop_details }, usage }, END);
    const { decoder, completion } = decodeStream(events);
    const { providerMessage, model, billed, serviceTier, ...plain } = anthropic.decode(message);
    assert.deepEqual({ ...completion }, { citations: undefined, ...plain });
    assert.deepEqual(decoder.providerMessage(), providerMessage);
    assert.deepEqual([decoder.model, decoder.billed, decoder.serviceTier], [
      model,
      billed,
      serviceTier,
    ]);
  }));
});
