/**
 * Random valid answers: the plain decoder agrees with an independent one, and so does the stream decoder,
 * given the same answer in random pieces. The answers follow small hand-written schemas of OpenAI's API
 * reference, "Chat Completions" and "Responses", and of the additions of compatible services.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { StreamAccumulator } from "../../lib/chat/events.ts";
import { asObject, asObjects, type Json } from "../../lib/json/json.ts";
import { openaiChat } from "../../lib/protocols/openai_chat/openai_chat.ts";
import type { Completion, Protocol } from "../../lib/protocols/protocol.ts";
import { openaiResponses } from "../../lib/protocols/openai_responses/openai_responses.ts";
import { decodeEvent } from "../support/decode_event.ts";

/** Text that may contain tags, partial tags, JSON and surrogate pairs. */
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.array(
    fc.constantFrom("<think>", "</think>", "<", "</th", " ", "\n", "a", "é", "🤔", "{", "}"),
    { maxLength: 8 },
  ).map((pieces) => pieces.join("")),
);
const nothing = fc.constantFrom(undefined, null);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.oneof(arbitrary, nothing);
const count = fc.nat(5000);
const name = fc.stringMatching(/^[a-z]{1,6}$/);
const cuts = fc.array(fc.nat(60), { maxLength: 6 });

/** The pieces of `text`, split at the given positions; at least one. */
function pieces(text: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((start, i) => text.slice(start, places[i]));
}

/** A generated value after a round trip through JSON. */
function asReceived<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

/** The completion that the events of a stream produce, in the form of a plain one. */
function streamed(provider: Protocol, events: Json[], end: string[]): Partial<Completion> {
  const decoder = provider.streamDecoder();
  const total = new StreamAccumulator();
  for (const data of [...events.map((event) => JSON.stringify(event)), ...end]) {
    for (const event of decodeEvent(decoder, data)) total.add(event);
  }
  const { content, thinking, refusal, citations, logprobs, toolCalls, usage } = total;
  const { model, cost, serviceTier } = decoder;
  return {
    content,
    thinking,
    refusal,
    citations,
    logprobs,
    toolCalls,
    usage,
    finishReason: total.finishReason ?? "other",
    model: model ?? "",
    providerMessage: decoder.providerMessage(),
    cost,
    serviceTier,
  };
}

function defined(completion: Partial<Completion>): Json {
  return Object.fromEntries(
    Object.entries(completion).filter(([, value]) => value !== undefined),
  );
}

const chatCall = fc.record({
  id: fc.uuid(),
  type: fc.constant("function"),
  function: fc.record({ name, arguments: fc.oneof(fc.json(), fc.constant("")) }),
  extra_content: fc.oneof(fc.constant({ google: { thought_signature: "opaque" } }), nothing),
});
const chatMessage = fc.record({
  content: maybe(text),
  refusal: fc.oneof(nothing, fc.string({ minLength: 1 })),
  reasoning_content: fc.oneof(nothing, fc.string({ minLength: 1 })),
  tool_calls: fc.oneof(
    nothing,
    fc.uniqueArray(chatCall, { minLength: 1, maxLength: 3, selector: ({ id }) => id }),
  ),
  annotations: fc.oneof(
    nothing,
    fc.array(
      fc.record({
        type: fc.constant("url_citation"),
        url_citation: fc.record({
          url: fc.webUrl(),
          title: fc.string(),
          start_index: fc.nat(9),
          end_index: fc.nat(9),
        }),
      }),
      { maxLength: 2 },
    ),
  ),
});
/** Valid usage: the details are parts of the sums; gateways may count some tokens only in the total. */
const chatUsage = fc.record({
  prompt: count,
  completion: count,
  uncounted: fc.oneof(fc.constant(0), count),
  hasTotal: fc.boolean(),
  cached: fc.nat(100),
  reasoning: fc.nat(100),
  cost: maybe(fc.double({ min: 0, max: 1, noNaN: true })),
}).map(({ prompt, completion, uncounted, hasTotal, cached, reasoning, cost }) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: hasTotal ? prompt + completion + uncounted : null,
  prompt_tokens_details: uncounted > 0
    ? null
    : { cached_tokens: Math.floor(prompt * cached / 100) },
  completion_tokens_details: { reasoning_tokens: Math.floor(completion * reasoning / 100) },
  cost,
}));
const chatAnswer = fc.record({
  model: fc.constantFrom("qwen3", "gpt-4o", "claude-sonnet-5"),
  service_tier: maybe(fc.constantFrom("default", "flex")),
  message: chatMessage,
  finish_reason: fc.constantFrom("stop", "length", "tool_calls", "content_filter", "eos"),
  usage: maybe(chatUsage),
});

/** The content of an answer, read by a minimal decoder. */
function readChat(answer: Json): Json {
  const message = answer.message as Json;
  const usage = asObject(answer.usage);
  const calls = asObjects(message.tool_calls);
  const refusal = message.refusal ?? null;
  const reason = answer.finish_reason;
  const cut = reason === "length" || reason === "content_filter" ? reason : undefined;
  return {
    refusal,
    calls: calls.map((call) => {
      const fn = call.function as Json;
      return [call.id, fn.name, fn.arguments || "{}"];
    }),
    finish: refusal !== null ? "content_filter" : cut ?? (calls.length > 0 ? "tool_calls" : "stop"),
    written: usage && Math.max(
      usage.completion_tokens as number,
      (usage.total_tokens as number ?? 0) - (usage.prompt_tokens as number),
    ),
    citations: asObjects(message.annotations).map((each) => (each.url_citation as Json).url),
  };
}

/** The chunks of a chat answer, split into deltas. */
function chunksOf(answer: Json, cuts: readonly number[]): Json[] {
  const message = answer.message as Json;
  const { model, service_tier } = answer;
  const chunk = (delta: Json, finish_reason: unknown = null) => ({
    model,
    service_tier,
    choices: [{ index: 0, delta, finish_reason }],
  });
  const cut = (field: string) =>
    typeof message[field] === "string"
      ? pieces(message[field], cuts).map((piece) => chunk({ [field]: piece }))
      : [];
  const calls = asObjects(message.tool_calls).flatMap((call, index) => {
    const { arguments: args, name } = call.function as Json;
    return pieces(String(args), cuts).map((piece, i) =>
      chunk({
        tool_calls: [
          i === 0
            ? { ...call, index, function: { name, arguments: piece } }
            : { index, function: { arguments: piece } },
        ],
      })
    );
  });
  return [
    chunk({ role: "assistant", content: "" }),
    ...cut("reasoning_content"),
    ...cut("content"),
    ...cut("refusal"),
    ...calls,
    ...asObjects(message.annotations).map((each) => chunk({ annotations: [each] })),
    chunk({}, answer.finish_reason),
    { model, choices: [], usage: answer.usage },
  ];
}

Deno.test("chat: random answers decode correctly, plain and streamed", () => {
  fc.assert(
    fc.property(chatAnswer, cuts, (generated, cuts) => {
      const answer = asReceived(generated);
      const { message, finish_reason, ...rest } = answer;
      const plain = openaiChat.decode({
        ...rest,
        choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason }],
      });
      const read = readChat(answer);
      assert.equal(plain.refusal, read.refusal);
      assert.deepEqual(
        plain.toolCalls.map(({ id, function: fn }) => [id, fn.name, fn.arguments]),
        read.calls,
      );
      assert.equal(plain.finishReason, read.finish);
      assert.equal(plain.usage?.completionTokens ?? undefined, read.written);
      assert.deepEqual((plain.citations ?? []).map(({ url }) => url), read.citations);
      const { usage } = plain;
      if (usage !== null) {
        assert.equal(usage.totalTokens, usage.promptTokens + usage.completionTokens);
        assert.ok((usage.cachedTokens ?? 0) <= usage.promptTokens);
        assert.ok((usage.reasoningTokens ?? 0) <= usage.completionTokens);
      }
      const whole = streamed(openaiChat, chunksOf(answer, cuts), ["[DONE]"]);
      assert.deepEqual(defined(whole), defined(plain));
    }),
    { numRuns: 500 },
  );
});

const responseItem = fc.oneof(
  fc.record({
    type: fc.constant("message"),
    id: fc.uuid(),
    role: fc.constant("assistant"),
    phase: fc.constantFrom(undefined, "commentary", "final_answer"),
    content: fc.array(
      fc.oneof(
        fc.record({ type: fc.constant("output_text"), text, annotations: fc.constant([]) }),
        fc.record({ type: fc.constant("refusal"), refusal: fc.string() }),
      ),
      { maxLength: 2 },
    ),
  }),
  fc.record({
    type: fc.constant("function_call"),
    id: fc.uuid(),
    call_id: fc.uuid(),
    name,
    arguments: fc.oneof(fc.json(), fc.constant("")),
  }),
  fc.record({
    type: fc.constant("reasoning"),
    id: fc.uuid(),
    summary: fc.array(fc.record({ type: fc.constant("summary_text"), text }), { maxLength: 2 }),
  }),
  fc.record({
    type: fc.constant("reasoning"),
    id: fc.uuid(),
    summary: fc.constant([]),
    content: fc.array(fc.record({ type: fc.constant("reasoning_text"), text }), { maxLength: 2 }),
  }),
  fc.record({
    type: fc.constant("web_search_call"),
    id: fc.uuid(),
    status: fc.constant("completed"),
  }),
);
const response = fc.record({
  model: fc.constant("gpt-6-sol"),
  status: fc.constant("completed"),
  output: fc.array(responseItem, { maxLength: 5 }),
  usage: fc.record({ input_tokens: count, output_tokens: count, total_tokens: maybe(count) }),
});
/** The redundant events to omit. */
const left = fc.record({ deltas: fc.boolean(), dones: fc.boolean(), items: fc.boolean() });

/** The events of a response. The deltas or a later event contain every part of it. */
function eventsOf(
  whole: Json,
  cuts: readonly number[],
  left: { deltas: boolean; dones: boolean; items: boolean },
): Json[] {
  const events = asObjects(whole.output).flatMap((item, output_index) => {
    const at = { output_index, item_id: item.id };
    const said = (kind: string, index: Json, field: string, text: unknown): Json[] => [
      ...(left.deltas ? [] : pieces(String(text), cuts).map((delta) => ({
        type: `response.${kind}.delta`,
        ...at,
        ...index,
        delta,
      }))),
      ...(left.dones ? [] : [{ type: `response.${kind}.done`, ...at, ...index, [field]: text }]),
    ];
    const parts = asObjects(item.content).flatMap((part, content_index) => {
      const kind = String(part.type);
      return said(
        kind,
        { content_index },
        kind === "refusal" ? kind : "text",
        part[
          kind === "refusal" ? kind : "text"
        ],
      );
    });
    const summary = asObjects(item.summary).flatMap(({ text }, summary_index) =>
      said("reasoning_summary_text", { summary_index }, "text", text)
    );
    const args = item.type === "function_call"
      ? said("function_call_arguments", {}, "arguments", item.arguments)
      : [];
    const started = { ...item };
    if (item.content) started.content = [];
    if (item.summary) started.summary = [];
    if (item.type === "function_call") started.arguments = "";
    return [
      { type: "response.output_item.added", output_index, item: started },
      ...parts,
      ...summary,
      ...args,
      ...(left.items ? [] : [{ type: "response.output_item.done", output_index, item }]),
    ];
  });
  return [
    { type: "response.created", response: { model: whole.model } },
    ...events,
    { type: "response.completed", response: whole },
  ];
}

Deno.test("responses: random answers decode correctly, whichever events contain them", () => {
  fc.assert(
    fc.property(response, cuts, left, (generated, cuts, left) => {
      const whole = asReceived(generated);
      const plain = openaiResponses.decode(whole);
      const calls = whole.output.filter(({ type }) => type === "function_call") as Json[];
      assert.deepEqual(
        plain.toolCalls.map(({ id, function: fn }) => [id, fn.name, fn.arguments]),
        calls.map((call) => [call.call_id, call.name, call.arguments || "{}"]),
      );
      const result = streamed(openaiResponses, eventsOf(whole, cuts, left), []);
      assert.deepEqual(defined(result), defined(plain));
    }),
    { numRuns: 500 },
  );
});
