/** Wire format: OpenAI API reference, "Responses", and the types of the `openai` package 7.57. */
import assert from "node:assert/strict";
import type { Message, SamplingOptions } from "../../../mod.ts";
import { StreamAccumulator } from "../../../lib/chat/events.ts";
import { openaiResponses } from "../../../lib/protocols/openai_responses/openai_responses.ts";
import { decodeEvent } from "../../support/decode_event.ts";

function encode(options: SamplingOptions, messages: Message[]) {
  const encoder = openaiResponses.encoder({
    baseUrl: "https://host/v1",
    apiKey: "key",
    headers: {},
  });
  const { url, headers, body } = encoder({ model: "gpt-6-sol", messages, options, stream: false });
  return { url, headers, body: JSON.parse(body!) };
}

Deno.test("responses encodes a conversation with images, tools and their results", () => {
  const options: SamplingOptions = {
    maxTokens: 50,
    thinking: "low",
    tools: [{
      type: "function",
      function: { name: "f", description: "d", parameters: { type: "object" } },
    }],
    toolChoice: { type: "function", function: { name: "f" } },
    responseFormat: { type: "json_schema", json_schema: { name: "x", schema: { type: "object" } } },
  };
  const { url, headers, body } = encode(options, [
    { role: "developer", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "What is this?" },
        { type: "image_url", image_url: { url: "https://host/cat.png" } },
      ],
    },
    {
      role: "assistant",
      content: "Let me look.",
      tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } }],
    },
    { role: "tool", tool_call_id: "a", content: "one" },
  ]);
  assert.equal(url, "https://host/v1/responses");
  assert.equal(headers.authorization, "Bearer key");
  assert.deepEqual(body, {
    model: "gpt-6-sol",
    input: [
      { role: "developer", content: "Be brief." },
      {
        role: "user",
        content: [
          { type: "input_text", text: "What is this?" },
          { type: "input_image", image_url: "https://host/cat.png", detail: "auto" },
        ],
      },
      { role: "assistant", content: "Let me look." },
      { type: "function_call", call_id: "a", name: "f", arguments: '{"x":1}' },
      { type: "function_call_output", call_id: "a", output: "one" },
    ],
    store: false,
    include: ["reasoning.encrypted_content"],
    max_output_tokens: 50,
    tools: [{
      type: "function",
      name: "f",
      description: "d",
      parameters: { type: "object" },
      strict: false,
    }],
    tool_choice: { type: "function", name: "f" },
    text: { format: { type: "json_schema", name: "x", schema: { type: "object" } } },
    reasoning: { effort: "low", summary: "auto" },
  });
});

Deno.test("responses rejects what it does not support, before anything is sent", () => {
  const hello: Message[] = [{ role: "user", content: "hi" }];
  for (
    const options of [{ stop: "x" }, { seed: 1 }, { topK: 5 }, { presencePenalty: 1 }, {
      thinking: 500,
    }]
  ) {
    assert.throws(() => encode(options, hello), { code: "configuration" }, JSON.stringify(options));
  }
});

const OUTPUT = [
  {
    type: "reasoning",
    id: "rs_1",
    summary: [{ type: "summary_text", text: "First." }, { type: "summary_text", text: "Second." }],
    encrypted_content: "opaque",
  },
  {
    type: "message",
    id: "msg_1",
    role: "assistant",
    content: [{ type: "output_text", text: "Let me look.", annotations: [] }],
  },
  { type: "function_call", id: "fc_1", call_id: "a", name: "f", arguments: '{"x":1}' },
];
const RESPONSE = {
  id: "resp_1",
  status: "completed",
  error: null,
  model: "gpt-6-sol-2026",
  output: OUTPUT,
  usage: {
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens: 8,
    output_tokens_details: { reasoning_tokens: 5 },
    total_tokens: 18,
  },
};
const CALLS = [{ id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } }];
const USAGE = {
  promptTokens: 10,
  completionTokens: 8,
  totalTokens: 18,
  cachedTokens: 4,
  reasoningTokens: 5,
};

Deno.test("responses decodes reasoning, text and calls, and sends its items back unchanged", () => {
  const decoded = openaiResponses.decode(RESPONSE);
  assert.deepEqual(decoded, {
    content: "Let me look.",
    thinking: "First.\n\nSecond.",
    refusal: null,
    toolCalls: CALLS,
    usage: USAGE,
    finishReason: "tool_calls",
    model: "gpt-6-sol-2026",
    providerMessage: { format: "responses", content: OUTPUT },
  });
  const { body } = encode({}, [
    { role: "user", content: "hi" },
    { role: "assistant", content: decoded.content, providerMessage: decoded.providerMessage },
    { role: "tool", tool_call_id: "a", content: "one" },
  ]);
  assert.deepEqual(body.input.slice(1), [
    ...OUTPUT,
    { type: "function_call_output", call_id: "a", output: "one" },
  ]);
});

Deno.test("responses decodes a stream into the same as a plain answer", () => {
  const decoder = openaiResponses.streamDecoder();
  const total = new StreamAccumulator();
  const summary = (index: number, delta: string) => [
    { type: "response.reasoning_summary_part.added", item_id: "rs_1", summary_index: index },
    { type: "response.reasoning_summary_text.delta", item_id: "rs_1", delta },
  ];
  const events = [
    { type: "response.created", response: { model: "gpt-6-sol-2026", status: "in_progress" } },
    { type: "response.output_item.added", item: { type: "reasoning", id: "rs_1" } },
    ...summary(0, "First."),
    ...summary(1, "Second."),
    { type: "response.output_item.added", item: { type: "message", id: "msg_1" } },
    { type: "response.output_text.delta", item_id: "msg_1", delta: "Let me " },
    { type: "response.output_text.delta", item_id: "msg_1", delta: "look." },
    { type: "response.output_item.added", item: { ...OUTPUT[2], arguments: "" } },
    { type: "response.function_call_arguments.delta", item_id: "fc_1", delta: '{"x"' },
    { type: "response.function_call_arguments.delta", item_id: "fc_1", delta: ":1}" },
    { type: "response.some_event_of_the_future" },
    { type: "response.completed", response: RESPONSE },
  ];
  for (const event of events) {
    for (const each of decodeEvent(decoder, JSON.stringify(event))) total.add(each);
  }
  assert.ok(decoder.complete && decoder.ended);
  assert.deepEqual(total.partial(), {
    content: "Let me look.",
    thinking: "First.\n\nSecond.",
    usage: USAGE,
  });
  assert.deepEqual(total.toolCalls, CALLS);
  assert.equal(total.finishReason, "tool_calls");
  assert.deepEqual(decoder.providerMessage(), { format: "responses", content: OUTPUT });
});

Deno.test("responses distinguishes truncated, filtered, refused and failed answers", () => {
  const finish = (response: object) =>
    openaiResponses.decode({ ...RESPONSE, output: [], ...response }).finishReason;
  const incomplete = (reason: string) => ({ status: "incomplete", incomplete_details: { reason } });
  assert.equal(finish(incomplete("max_output_tokens")), "length");
  assert.equal(finish(incomplete("content_filter")), "content_filter");
  const refusal = { type: "message", content: [{ type: "refusal", refusal: "No." }] };
  const refused = openaiResponses.decode({ ...RESPONSE, output: [refusal] });
  assert.deepEqual([refused.content, refused.finishReason], ["No.", "content_filter"]);
  const failed = {
    ...RESPONSE,
    status: "failed",
    error: { code: "server_error", message: "broken" },
  };
  assert.throws(() => openaiResponses.decode(failed), { message: /broken/, retryable: true });
  const push = (event: object) =>
    decodeEvent(openaiResponses.streamDecoder(), JSON.stringify(event));
  assert.throws(() => push({ type: "response.failed", response: failed }), { message: /broken/ });
  assert.throws(() => push({ type: "error", code: "rate_limit_exceeded", message: "later" }), {
    retryable: true,
  });
  assert.throws(() => openaiResponses.decode({ choices: [] }), { code: "malformed_response" });
});
