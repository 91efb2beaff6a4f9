/**
 * Answers of Anthropic's Messages API: usage, citations, refusals, errors.
 *
 * Wire format: Anthropic API reference, "Messages", "Errors"; "Compaction", "Advisor tool", "Refusals and
 * fallback" (how `usage.iterations` is billed); the types of `@anthropic-ai/sdk` 1.12.
 */
import assert from "node:assert/strict";
import { anthropic } from "../../../lib/protocols/anthropic/anthropic.ts";

function decode(fields: Record<string, unknown>) {
  const message = { type: "message", role: "assistant", model: "m", content: [], ...fields };
  return anthropic.decode({ stop_reason: "end_turn", ...message });
}

const usageOf = (usage: unknown) => decode({ usage }).usage;

Deno.test("claude usage contains only what was counted", () => {
  for (const usage of [undefined, null, {}, "12", { input_tokens: null, output_tokens: null }]) {
    assert.equal(usageOf(usage), null);
  }
  assert.equal(usageOf({ input_tokens: -1, output_tokens: Infinity }), null);
  assert.deepEqual(usageOf({ input_tokens: -5, output_tokens: 7, cache_read_input_tokens: "3" }), {
    promptTokens: 0,
    completionTokens: 7,
    totalTokens: 7,
    cachedTokens: 0,
    cacheWriteTokens: 0,
  });
});

Deno.test("claude usage distinguishes cache writes for an hour from those for five minutes", () => {
  const cache_creation = { ephemeral_5m_input_tokens: 40, ephemeral_1h_input_tokens: 60 };
  const expected = {
    promptTokens: 105,
    completionTokens: 1,
    totalTokens: 106,
    cachedTokens: 0,
    cacheWriteTokens: 100,
    cacheWriteHourTokens: 60,
  };
  const usage = { input_tokens: 5, output_tokens: 1, cache_creation };
  assert.deepEqual(usageOf({ ...usage, cache_creation_input_tokens: 100 }), expected);
  // If a server omits the total, it is the sum.
  assert.deepEqual(usageOf(usage), expected);
});

const iteration = (type: string, input_tokens: number, output_tokens: number, model?: string) => ({
  type,
  input_tokens,
  output_tokens,
  model,
});
const counts = (promptTokens: number, completionTokens: number) => ({
  promptTokens,
  completionTokens,
  totalTokens: promptTokens + completionTokens,
  cachedTokens: 0,
  cacheWriteTokens: 0,
});

Deno.test("claude usage includes compaction, at the price of the model", () => {
  const iterations = [iteration("compaction", 55_000, 125), iteration("message", 220, 8)];
  const completion = decode({ usage: { input_tokens: 220, output_tokens: 8, iterations } });
  assert.deepEqual(completion.usage, counts(55_220, 133));
  assert.equal(completion.billed, undefined);
});

Deno.test("claude usage includes the advisor, at the price of its own model", () => {
  const iterations = [
    iteration("message", 1051, 35),
    iteration("advisor_message", 2728, 874, "claude-opus-4-7"),
    iteration("message", 1363, 3165),
  ];
  const completion = decode({ usage: { input_tokens: 2414, output_tokens: 3200, iterations } });
  assert.deepEqual(completion.usage, counts(5142, 4074));
  assert.deepEqual(completion.billed, [
    { usage: counts(2414, 3200) },
    { model: "claude-opus-4-7", usage: counts(2728, 874) },
  ]);
});

Deno.test("claude bills each attempt of a fallback at the price of the model that ran it", () => {
  const billed = (declinedOutput: number, output_tokens: number) => {
    const iterations = [
      iteration("message", 535, declinedOutput, "claude-fable-5"),
      iteration("fallback_message", 412, 264, "claude-opus-4-8"),
    ];
    const { usage, billed } = decode({ usage: { input_tokens: 412, output_tokens, iterations } });
    return { usage, billed };
  };
  const server = { model: "claude-opus-4-8", usage: counts(412, 264) };
  // Declining before the first token is free.
  assert.deepEqual(billed(0, 264), { usage: counts(412, 264), billed: [server] });
  assert.deepEqual(billed(40, 264), {
    usage: counts(947, 304),
    billed: [server, { model: "claude-fable-5", usage: counts(535, 40) }],
  });
  // If a server sums up all attempts at the top level, nothing is missing.
  assert.deepEqual(billed(40, 304).usage, counts(412, 304));
});

Deno.test("claude reports a service tier with a different price", () => {
  const tier = (fields: Record<string, unknown>) =>
    decode({ usage: { input_tokens: 1, output_tokens: 1, ...fields } }).serviceTier;
  assert.equal(tier({ service_tier: "standard", speed: "standard" }), undefined);
  assert.equal(tier({ service_tier: "priority" }), "priority");
  assert.equal(tier({ service_tier: "standard", speed: "fast" }), "fast");
});

Deno.test("claude citations name the source and the part of the answer that it supports", () => {
  const web = {
    type: "web_search_result_location",
    url: "https://host/a",
    title: "A",
    cited_text: "a",
    encrypted_index: "x",
  };
  const page = {
    type: "page_location",
    document_title: "B.pdf",
    cited_text: "b",
    document_index: 0,
    start_page_number: 1,
    end_page_number: 2,
    file_id: null,
  };
  const found = {
    type: "search_result_location",
    source: "intranet",
    title: null,
    cited_text: "c",
  };
  const { content, citations } = decode({
    content: [
      { type: "text", text: "See: " },
      { type: "server_tool_use", id: "s", name: "web_search", input: {} },
      { type: "text", text: "A 😀", citations: [web, page] },
      { type: "text", text: " and", citations: null },
      { type: "text", text: " C", citations: [found] },
    ],
  });
  assert.equal(content, "See: A 😀 and C");
  assert.deepEqual(citations, [
    { start: 5, end: 9, url: "https://host/a", title: "A", text: "a", raw: web },
    { start: 5, end: 9, title: "B.pdf", text: "b", raw: page },
    { start: 13, end: 15, title: "intranet", text: "c", raw: found },
  ]);
  assert.ok(!("citations" in decode({ content: [{ type: "text", text: "x" }] })));
});

Deno.test("claude refusals keep their explanation, and any text before it", () => {
  const stop_details = { type: "refusal", category: "cyber", explanation: "Not that." };
  const refused = (content: unknown[], details: unknown = stop_details) => {
    const decoded = decode({ content, stop_reason: "refusal", stop_details: details });
    return [decoded.finishReason, decoded.refusal, decoded.content];
  };
  assert.deepEqual(refused([]), ["content_filter", "Not that.", "Not that."]);
  const text = { type: "text", text: "Well, " };
  assert.deepEqual(refused([text]), ["content_filter", "Not that.", "Well, "]);
  assert.deepEqual(refused([text], null), ["content_filter", null, "Well, "]);
});

Deno.test("claude answers of compatible servers are decoded as far as possible", () => {
  const call = { type: "tool_use", id: "t", name: "f" };
  const calls = [{ ...call, input: '{"a":1}' }, { ...call, input: "" }, call];
  const decoded = decode({ content: calls, stop_reason: null });
  assert.equal(decoded.finishReason, "tool_calls");
  assert.deepEqual(decoded.toolCalls.map((call) => call.function.arguments), [
    '{"a":1}',
    "{}",
    "{}",
  ]);
  assert.equal(decode({ stop_reason: null }).finishReason, "stop");
  assert.equal(decode({ content: "text" }).content, "text");
  assert.equal(decode({ content: null }).content, "");
});

Deno.test("claude answers whose stop reason is a failure are errors with a partial result", () => {
  assert.throws(
    () =>
      decode({
        content: [{ type: "text", text: "half" }],
        stop_reason: "error",
        usage: { input_tokens: 3, output_tokens: 2 },
      }),
    (error: Error & { retryable: boolean; status: number; partial: unknown }) => {
      assert.deepEqual([error.retryable, error.status], [true, 502]);
      assert.deepEqual(error.partial, { content: "half", thinking: null, usage: counts(3, 2) });
      return true;
    },
  );
});

Deno.test("claude errors detect an empty account, also in other servers' formats", () => {
  const error = (fields: Record<string, unknown>) =>
    anthropic.decodeError({ type: "error", error: { type: "invalid_request_error", ...fields } });
  for (
    const message of [
      "Your credit balance is too low to access the Anthropic API.",
      "You have reached your specified API usage limits. You will regain access on 2026-12-01.",
      "You have reached your specified workspace API usage limits.",
    ]
  ) {
    assert.equal(error({ message })?.quota, true, message);
  }
  assert.equal(error({ type: "billing_error", message: "Pay." })?.quota, true);
  assert.equal(error({ message: "max_tokens: too large" })?.quota, false);
  assert.equal(error({ type: undefined, code: "1113", message: "No balance." })?.code, "1113");
  assert.equal(anthropic.decodeError({ type: "error", message: "flat" })?.message, "flat");
  assert.equal(
    anthropic.decodeError({ error: { message: "OpenAI's form" } })?.message,
    "OpenAI's form",
  );
  assert.equal(anthropic.decodeError({ error: "text" })?.message, "text");
  assert.equal(anthropic.decodeError({ type: "message", content: [] }), undefined);
});
