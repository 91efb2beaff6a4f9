/**
 * Streams of the Responses API from other servers than OpenAI's, and its own rare events.
 * Sources are named at each test; events are minimal and hand-made.
 */
import assert from "node:assert/strict";
import { StreamAccumulator, type StreamEvent } from "../../../lib/chat/events.ts";
import type { FlexLLMError } from "../../../lib/errors.ts";
import { asObjects, type Json } from "../../../lib/json/json.ts";
import { openaiResponses } from "../../../lib/protocols/openai_responses/openai_responses.ts";
import { decodeEvent } from "../../support/decode_event.ts";

function stream(events: Json[]) {
  const decoder = openaiResponses.streamDecoder();
  const total = new StreamAccumulator();
  for (const event of events) {
    for (const each of decodeEvent(decoder, JSON.stringify(event))) total.add(each);
  }
  return { decoder, total };
}

const completed = (output: Json[], rest: Json = {}): Json => ({
  type: "response.completed",
  response: { status: "completed", model: "m", output, ...rest },
});
const added = (output_index: number, item: Json): Json => ({
  type: "response.output_item.added",
  output_index,
  item,
});
const done = (output_index: number, item: Json): Json => ({
  type: "response.output_item.done",
  output_index,
  item,
});
const CALL = { type: "function_call", id: "fc", call_id: "a", name: "f", arguments: '{"a":1}' };
const message = (text: string, rest: Json = {}): Json => ({
  type: "message",
  id: "msg",
  role: "assistant",
  content: [{ type: "output_text", text, annotations: [] }],
  ...rest,
});
const delta = (output_index: number, text: string): Json => ({
  type: "response.output_text.delta",
  output_index,
  content_index: 0,
  delta: text,
});
const withoutContent = (item: Json): Json => ({ ...item, content: [] });

function thrown(run: () => unknown): FlexLLMError {
  try {
    run();
  } catch (error) {
    return error as FlexLLMError;
  }
  throw new Error("nothing was thrown");
}

Deno.test("arguments are read from any event that has them", () => {
  const start = added(0, { ...CALL, arguments: "" });
  const last = { type: "response.function_call_arguments.done", output_index: 0 };
  const piece = { type: "response.function_call_arguments.delta", output_index: 0 };
  const cases: Record<string, Json[]> = {
    // LM Studio.
    "done only": [start, { ...last, arguments: CALL.arguments }, done(0, CALL), completed([CALL])],
    "item only": [start, done(0, CALL), completed([])],
    "response only": [completed([CALL])],
    "deltas only": [start, { ...piece, delta: '{"a"' }, { ...piece, delta: ":1}" }, completed([])],
    "all of them": [
      start,
      { ...piece, delta: '{"a":' },
      { ...piece, delta: "1}" },
      { ...last, arguments: CALL.arguments },
      done(0, CALL),
      completed([CALL]),
    ],
    "no announcement": [{ ...piece, delta: '{"a":1}' }, done(0, CALL), completed([])],
  };
  for (const [name, events] of Object.entries(cases)) {
    const { total, decoder } = stream(events);
    assert.deepEqual(total.toolCalls, [
      { id: "a", type: "function", function: { name: "f", arguments: '{"a":1}' } },
    ], name);
    assert.equal(total.finishReason, "tool_calls", name);
    assert.deepEqual(decoder.providerMessage()?.content, [CALL], name);
  }
});

Deno.test("items are known by their index when their ids change", () => {
  // Copilot makes new ids for each event.
  const piece = (output_index: number, item_id: string, text: string): Json => ({
    type: "response.function_call_arguments.delta",
    output_index,
    item_id,
    delta: text,
  });
  const [first, second] = [CALL, { ...CALL, call_id: "b", arguments: '{"b":2}' }];
  const { total } = stream([
    added(0, { ...first, id: "1", arguments: "" }),
    added(1, { ...second, id: "2", arguments: "" }),
    piece(0, "3", '{"a"'),
    piece(1, "4", '{"b"'),
    piece(0, "5", ":1}"),
    piece(1, "6", ":2}"),
    completed([{ ...first, id: "7" }, { ...second, id: "8" }]),
  ]);
  assert.deepEqual(total.toolCalls.map(({ function: fn }) => fn.arguments), [
    '{"a":1}',
    '{"b":2}',
  ]);
});

Deno.test("a response that ends without output has the items that came before", () => {
  // The ChatGPT backend.
  const items = [{ type: "reasoning", id: "rs", summary: [], encrypted_content: "x" }, CALL];
  const { total, decoder } = stream([...items.map((item, i) => done(i, item)), completed([])]);
  assert.equal(total.finishReason, "tool_calls");
  assert.deepEqual(decoder.providerMessage()?.content, items);
  assert.deepEqual((decoder.raw as Json).output, items);
});

Deno.test("reasoning text is thinking if there is no summary", () => {
  const item = {
    type: "reasoning",
    id: "rs",
    summary: [],
    content: [{ type: "reasoning_text", text: "Hm, yes." }],
  };
  const output = [item, message("42")];
  const piece = { type: "response.reasoning_text.delta", output_index: 0, content_index: 0 };
  const streams = [
    [{ ...piece, delta: "Hm, " }, { ...piece, delta: "yes." }, completed(output)],
    [{ ...piece, type: "response.reasoning_text.done", text: "Hm, yes." }, completed(output)],
    [completed(output)],
  ];
  const plain = openaiResponses.decode({ status: "completed", output });
  for (const { thinking, content } of [plain, ...streams.map((events) => stream(events).total)]) {
    assert.deepEqual([thinking, content], ["Hm, yes.", "42"]);
  }
});

Deno.test("commentary is thinking, and a repeated JSON answer is emitted once", () => {
  const early = message("I'll look.", { phase: "commentary" });
  const json = '{"a":1}';
  const twice = [message(json), message('{ "a": 1 }', { id: "msg2" })];
  const events = (items: Json[]) =>
    items.flatMap((item, i) => [
      added(i, withoutContent(item)),
      delta(i, String(asObjects(item.content)[0].text)),
      done(i, item),
    ]);
  const spoken = [early, message("42", { phase: "final_answer" })];
  const plain = openaiResponses.decode({ status: "completed", output: spoken });
  for (const result of [plain, stream([...events(spoken), completed(spoken)]).total]) {
    assert.deepEqual([result.content, result.thinking], ["42", "I'll look."]);
  }
  const answers = [
    openaiResponses.decode({ status: "completed", output: twice }),
    stream([...events(twice), completed(twice)]).total,
    stream([completed(twice)]).total,
  ];
  for (const { content } of answers) assert.deepEqual(JSON.parse(content), { a: 1 });
  const texts = [message("One. "), message("Two.")];
  const joined = stream([...events(texts), completed(texts)]).total;
  assert.equal(joined.content, "One. Two.");
});

Deno.test("errors are decoded in every form, with usage", () => {
  const quota = { type: "insufficient_quota", code: "insufficient_quota", message: "empty" };
  for (const event of [{ type: "error", error: quota }, { error: quota }]) {
    assert.equal(thrown(() => stream([event])).code, "quota_exceeded");
  }
  const flat = { type: "error", code: "rate_limit_exceeded", message: "later" };
  assert.equal(thrown(() => stream([flat])).code, "rate_limit");
  const usage = { input_tokens: 5, output_tokens: 2, total_tokens: 7 };
  const failed = {
    status: "failed",
    error: { code: "server_error", message: "broken" },
    output: [message("Half")],
    usage,
  };
  const error = thrown(() => openaiResponses.decode(failed));
  assert.deepEqual([error.retryable, error.partial?.content, error.partial?.usage?.totalTokens], [
    true,
    "Half",
    7,
  ]);
  const decoder = openaiResponses.streamDecoder();
  const events: StreamEvent[] = [];
  const push = () =>
    decoder.push(JSON.stringify({ type: "response.failed", response: failed }), events);
  assert.equal(thrown(push).retryable, true);
  assert.deepEqual(events, []);
  assert.equal(decoder.failure?.usage?.totalTokens, 7);
  for (const status of ["failed", "cancelled"]) {
    assert.equal(thrown(() => openaiResponses.decode({ status, output: [] })).retryable, true);
  }
});

Deno.test("a refusal is an answer, with text and without", () => {
  const refusal = { type: "refusal", refusal: "I can't." };
  for (
    const [content, expected] of [
      [[refusal], "I can't."],
      [[{ type: "output_text", text: "Well." }, refusal], "Well."],
    ] as const
  ) {
    const output = [{ type: "message", id: "msg", content }];
    const plain = openaiResponses.decode({ status: "completed", output });
    for (const result of [plain, stream([completed(output)]).total]) {
      assert.deepEqual([result.content, result.refusal, result.finishReason], [
        expected,
        "I can't.",
        "content_filter",
      ]);
    }
  }
});

Deno.test("citations, logprobs and the service tier are in the result, each once", () => {
  const annotation = { type: "url_citation", url: "https://e.org", title: "E", start_index: 0 };
  const token = { token: "42", logprob: -0.1, bytes: [52, 50], top_logprobs: [] };
  const part = {
    type: "output_text",
    text: "42",
    annotations: [{ ...annotation, end_index: 2 }],
    logprobs: [token],
  };
  const item = { type: "message", id: "msg", content: [part] };
  const response = { status: "completed", output: [message("So: "), item], service_tier: "flex" };
  const whole = openaiResponses.decode(response);
  const { total, decoder } = stream([
    added(0, withoutContent(message("So: "))),
    delta(0, "So: "),
    added(1, withoutContent(item)),
    { ...delta(1, "42"), logprobs: [token] },
    {
      type: "response.output_text.annotation.added",
      output_index: 1,
      content_index: 0,
      annotation: part.annotations[0],
    },
    { type: "response.content_part.done", output_index: 1, content_index: 0, part },
    done(1, item),
    { type: "response.completed", response },
  ]);
  for (const { citations, logprobs, content } of [whole, total]) {
    assert.equal(content, "So: 42");
    assert.deepEqual(citations, [
      { url: "https://e.org", title: "E", start: 4, end: 6, raw: part.annotations[0] },
    ]);
    assert.deepEqual(logprobs, [{ token: "42", logprob: -0.1, bytes: [52, 50] }]);
  }
  assert.deepEqual([whole.serviceTier, decoder.serviceTier], ["flex", "flex"]);
});

Deno.test("calls to custom tools are tool calls, and xAI's own searches are not", () => {
  const custom = {
    type: "custom_tool_call",
    id: "ctc",
    call_id: "a",
    name: "sql",
    input: "SELECT 1",
  };
  const search = { ...custom, call_id: "xs_call_1", name: "x_keyword_search" };
  const expected = [{ id: "a", type: "custom", function: { name: "sql", arguments: "SELECT 1" } }];
  const piece = {
    type: "response.custom_tool_call_input.delta",
    output_index: 1,
    delta: "SELECT 1",
  };
  const streamed = stream([
    added(0, { ...search, input: "" }),
    done(0, search),
    added(1, { ...custom, input: "" }),
    piece,
    completed([search, custom]),
  ]).total;
  const plain = openaiResponses.decode({ status: "completed", output: [search, custom] });
  for (const { toolCalls } of [plain, streamed]) assert.deepEqual(toolCalls, expected);
  assert.equal(
    openaiResponses.decode({ status: "completed", output: [search, message("x")] }).finishReason,
    "stop",
  );
});

Deno.test("usage counts cache writes, and ignores impossible counts", () => {
  const usage = (usage: Json) =>
    openaiResponses.decode({ status: "completed", output: [], usage }).usage;
  assert.deepEqual(
    usage({
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 4, cache_write_tokens: 5 },
      output_tokens: 3,
      total_tokens: 13,
    }),
    {
      promptTokens: 10,
      completionTokens: 3,
      totalTokens: 13,
      cachedTokens: 4,
      cacheWriteTokens: 5,
      reasoningTokens: 0,
    },
  );
  assert.equal(usage({ input_tokens: null, output_tokens: null }), null);
  assert.equal(usage({ input_tokens: -3 }), null);
});

Deno.test("a call without arguments has {}", () => {
  const call = { ...CALL, arguments: "" };
  const plain = openaiResponses.decode({ status: "completed", output: [call] });
  for (const { toolCalls } of [plain, stream([added(0, call), completed([call])]).total]) {
    assert.equal(toolCalls[0].function.arguments, "{}");
  }
});

Deno.test("[DONE], which gateways add, is harmless after the end and an interruption before it", () => {
  const decoder = openaiResponses.streamDecoder();
  decodeEvent(decoder, JSON.stringify(completed([message("x")])));
  assert.deepEqual(decodeEvent(decoder, "[DONE]"), []);
  assert.ok(decoder.complete);
  const cut = openaiResponses.streamDecoder();
  decodeEvent(cut, "[DONE]");
  assert.deepEqual([cut.complete, cut.ended], [false, true]);
});

Deno.test("content parts are identified by their order if their indexes continue", () => {
  // Recorded streams of Bedrock (gpt-oss): the message after the reasoning begins with index 1.
  const at = (content_index: number, type: string, fields: Json): Json => ({
    type: `response.output_text.${type}`,
    output_index: 1,
    content_index,
    ...fields,
  });
  const whole: Json = {
    ...message("one"),
    content: [
      { type: "output_text", text: "one", annotations: [] },
      { type: "output_text", text: " two", annotations: [] },
    ],
  };
  const reasoning = {
    type: "reasoning",
    id: "r",
    summary: [],
    content: [{ type: "reasoning_text", text: "hm" }],
  };
  const { total } = stream([
    added(0, { type: "reasoning", id: "r", summary: [] }),
    { type: "response.reasoning_text.delta", output_index: 0, content_index: 0, delta: "hm" },
    done(0, reasoning),
    added(1, withoutContent(whole)),
    at(1, "delta", { delta: "one" }),
    at(1, "done", { text: "one" }),
    at(2, "delta", { delta: " two" }),
    done(1, whole),
    completed([reasoning, whole]),
  ]);
  assert.deepEqual([total.content, total.thinking], ["one two", "hm"]);
});

Deno.test("deltas of the server's own calls are not tool calls", () => {
  // Recorded streams of xAI's `x_search`.
  const search = {
    type: "custom_tool_call",
    id: "c",
    call_id: "xs_1",
    name: "x_search",
    input: "",
  };
  const { total } = stream([
    added(0, search),
    { type: "response.custom_tool_call_input.delta", output_index: 0, delta: '{"q":1}' },
    done(0, { ...search, input: '{"q":1}' }),
    completed([{ ...search, input: '{"q":1}' }, message("found")]),
  ]);
  assert.deepEqual([total.toolCalls, total.finishReason, total.content], [[], "stop", "found"]);
});
