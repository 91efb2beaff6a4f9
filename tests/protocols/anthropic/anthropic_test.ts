/** Wire format: Anthropic API reference, "Messages", "Streaming messages", "Extended thinking". */
import assert from "node:assert/strict";
import type { Message, SamplingOptions } from "../../../mod.ts";
import { StreamAccumulator } from "../../../lib/chat/events.ts";
import { anthropic } from "../../../lib/protocols/anthropic/anthropic.ts";
import { decodeEvent } from "../../support/decode_event.ts";

const BASE_URL = "https://api.anthropic.com/v1";

function encode(options: SamplingOptions = {}, model = "claude-opus-5", messages?: Message[]) {
  const encoder = anthropic.encoder({ baseUrl: BASE_URL, apiKey: "key", headers: {} });
  const { url, headers, body } = encoder({
    model,
    messages: messages ?? [{ role: "user", content: "hi" }],
    options,
    stream: false,
  });
  return { url, headers, body: JSON.parse(body!) };
}

Deno.test("claude encodes a conversation with images, tools and their results", () => {
  const { url, headers, body } = encode({ stop: "END", maxTokens: 50 }, "claude-opus-5", [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "What are these?" },
        { type: "image_url", image_url: { url: "data:image/png;base64,QUJD" } },
        { type: "image_url", image_url: { url: "https://host/cat.jpg" } },
      ],
    },
    {
      role: "assistant",
      content: "Let me look.",
      tool_calls: [
        { id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } },
        { id: "b", type: "function", function: { name: "g", arguments: "" } },
      ],
    },
    { role: "tool", tool_call_id: "a", content: "one" },
    { role: "tool", tool_call_id: "b", content: [{ type: "text", text: "two" }] },
    { role: "user", content: "And now?" },
  ]);
  assert.equal(url, "https://api.anthropic.com/v1/messages");
  assert.deepEqual(headers, {
    "content-type": "application/json",
    "anthropic-version": "2026-10-21",
    "x-api-key": "key",
  });
  assert.deepEqual(body, {
    model: "claude-opus-5",
    max_tokens: 50,
    system: "Be brief.",
    stop_sequences: ["END"],
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "What are these?" },
          { type: "image", source: { type: "base64", media_type: "image/png", data: "QUJD" } },
          { type: "image", source: { type: "url", url: "https://host/cat.jpg" } },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "text", text: "Let me look." },
          { type: "tool_use", id: "a", name: "f", input: { x: 1 } },
          { type: "tool_use", id: "b", name: "g", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "a", content: "one" },
          { type: "tool_result", tool_use_id: "b", content: [{ type: "text", text: "two" }] },
          { type: "text", text: "And now?" },
        ],
      },
    ],
  });
});

Deno.test("claude enables thinking in the form that each generation accepts", () => {
  const adaptive = { type: "adaptive", display: "summarized" };
  const cases: [model: string, thinking: SamplingOptions["thinking"], expected: object][] = [
    ["claude-haiku-4-5-20251001", true, { type: "enabled", budget_tokens: 8192 }],
    ["claude-opus-4-5", 5000, { type: "enabled", budget_tokens: 5000 }],
    ["claude-sonnet-4-20250514", "low", { type: "enabled", budget_tokens: 2048 }],
    ["claude-opus-4-6", true, adaptive],
    // The API accepted both forms.
    ["claude-opus-4-6", 5000, { type: "enabled", budget_tokens: 5000 }],
    ["anthropic/claude-sonnet-4.6", 2000, { type: "enabled", budget_tokens: 2000 }],
    ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", 2000, {
      type: "enabled",
      budget_tokens: 2000,
    }],
    ["claude-opus-4-5@20251101", 2000, { type: "enabled", budget_tokens: 2000 }],
    ["claude-opus-5", true, adaptive],
    ["claude-opus-5", false, { type: "disabled" }],
    ["claude-sonnet-5-5", false, { type: "between_tools" }],
  ];
  for (const [model, thinking, expected] of cases) {
    assert.deepEqual(encode({ thinking }, model).body.thinking, expected, model);
  }
  const { body } = encode({ thinking: "high" });
  assert.deepEqual([body.thinking, body.output_config], [adaptive, { effort: "high" }]);
  // The budget is part of the limit: the default leaves room for the answer.
  assert.ok(encode({ thinking: 5000 }, "claude-opus-4-5").body.max_tokens > 5000);
  for (const model of ["claude-opus-4-7", "claude-haiku-4-5"]) {
    assert.equal(encode({ thinking: false }, model).body.thinking, undefined);
  }
});

Deno.test("claude rejects what a model does not support, before anything is sent", () => {
  const tools = [{ type: "function" as const, function: { name: "f" } }];
  const cases: [SamplingOptions, string, RegExp][] = [
    [{ temperature: 0.2 }, "claude-opus-5", /claude-opus-5 does not accept the option temperature/],
    [{ topP: 0.5 }, "claude-opus-5", /topP/],
    [{ temperature: 0.2, thinking: true }, "claude-opus-4-6", /temperature 0.2/],
    [{ topP: 0.5, thinking: 2000 }, "claude-opus-4-5", /topP 0.5/],
    [{ topK: 5, thinking: 2000 }, "claude-opus-4-5", /topK/],
    [{ thinking: "lots" as "low" }, "claude-opus-5", /thinking "lots"/],
    [{ topK: 5 }, "claude-opus-4-7", /topK/],
    [{ temperature: 1.5 }, "claude-haiku-4-5", /claude-haiku-4-5 does not .* temperature 1\.5$/],
    [{ seed: 1 }, "claude-opus-5", /Claude does not accept the option seed/],
    [{ presencePenalty: 1 }, "claude-opus-5", /presencePenalty/],
    [{ thinking: 5000 }, "claude-opus-5", /thinking as a number/],
    [{ thinking: false }, "claude-opus-5-5", /thinking: false/],
    [{ thinking: true }, "claude-3-5-sonnet-20241022", /does not accept the option thinking/],
    [{ thinking: 5000, maxTokens: 4000 }, "claude-opus-4-5", /maxTokens: 4000 leaves no room/],
    [{ thinking: 100 }, "claude-opus-4-5", /at least 1024/],
    [{ responseFormat: { type: "json_object" } }, "claude-opus-5", /json_object/],
    [{ tools, toolChoice: "required" }, "claude-opus-5-5", /toolChoice/],
    [{ toolChoice: "required" }, "claude-opus-5", /toolChoice is set, but there are no tools/],
    [{ tools: [], toolChoice: "none" }, "claude-opus-5", /toolChoice is set/],
    [{ parallelToolCalls: false }, "claude-opus-5", /parallelToolCalls is set/],
    [{ tools, toolChoice: "any" as "auto" }, "claude-opus-5", /toolChoice "any"/],
    [{ tools, toolChoice: { type: "tool" } as never }, "claude-opus-5", /toolChoice tool/],
    [{ tools, toolChoice: { type: "function" } as never }, "claude-opus-5", /toolChoice function/],
    [
      {
        tools,
        toolChoice: { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [] } },
      },
      "claude-opus-5",
      /toolChoice allowed_tools/,
    ],
    [
      { tools, toolChoice: "required", thinking: true },
      "claude-opus-4-5",
      /cannot think when a tool is forced/,
    ],
  ];
  for (const [options, model, pattern] of cases) {
    assert.throws(() => encode(options, model), (error: Error & { code: string }) => {
      assert.equal(error.code, "configuration");
      assert.match(error.message, pattern);
      return true;
    });
  }
});

Deno.test("claude uses the version that accepts sampling options only for requests with them", () => {
  const { headers, body } = encode({ temperature: 0.5, topP: 0.9 }, "claude-haiku-4-5");
  assert.equal(headers["anthropic-version"], "2023-06-01");
  assert.deepEqual([body.temperature, body.top_p], [0.5, 0.9]);
  assert.equal(encode({}, "claude-haiku-4-5").headers["anthropic-version"], "2026-10-21");
});

Deno.test("claude encodes tool choices and strict schemas", () => {
  const tools = [{ type: "function" as const, function: { name: "f", strict: true } }];
  const choice = (toolChoice: SamplingOptions["toolChoice"], parallelToolCalls?: boolean) =>
    encode({ tools, toolChoice, parallelToolCalls }).body.tool_choice;
  assert.equal(choice(undefined), undefined);
  assert.deepEqual(choice("none"), { type: "none" });
  assert.deepEqual(choice("required"), { type: "any" });
  assert.deepEqual(choice({ type: "function", function: { name: "f" } }), {
    type: "tool",
    name: "f",
  });
  assert.deepEqual(choice(undefined, false), { type: "auto", disable_parallel_tool_use: true });
  assert.deepEqual(encode({ tools }).body.tools, [
    { name: "f", input_schema: { type: "object", properties: {} }, strict: true },
  ]);
});

const BLOCKS = [
  { type: "thinking", thinking: "Hm.", signature: "sig" },
  { type: "redacted_thinking", data: "opaque" },
  { type: "text", text: "Let me look.", citations: null },
  { type: "tool_use", id: "t1", name: "f", input: { x: 1 } },
  { type: "tool_use", id: "t2", name: "g", input: {} },
];
const USAGE = {
  input_tokens: 10,
  cache_creation_input_tokens: 3,
  cache_read_input_tokens: 20,
  output_tokens: 7,
  output_tokens_details: { thinking_tokens: 4 },
};
const DECODED_USAGE = {
  promptTokens: 33,
  completionTokens: 7,
  totalTokens: 40,
  cachedTokens: 20,
  cacheWriteTokens: 3,
  reasoningTokens: 4,
};
const CALLS = [
  { id: "t1", type: "function", function: { name: "f", arguments: '{"x":1}' } },
  { id: "t2", type: "function", function: { name: "g", arguments: "{}" } },
];

Deno.test("claude decodes thinking, text, parallel tool calls and cached tokens", () => {
  const decoded = anthropic.decode({
    type: "message",
    model: "claude-opus-5",
    content: BLOCKS,
    stop_reason: "tool_use",
    usage: USAGE,
  });
  assert.deepEqual(decoded, {
    content: "Let me look.",
    thinking: "Hm.",
    refusal: null,
    toolCalls: CALLS,
    usage: DECODED_USAGE,
    finishReason: "tool_calls",
    model: "claude-opus-5",
    providerMessage: { format: "claude", content: BLOCKS },
  });
});

Deno.test("claude sends its own blocks back unchanged, and those of others as text", () => {
  const turn = (providerMessage?: { format: "claude" | "gemini"; content: unknown }): Message[] => [
    { role: "user", content: "hi" },
    { role: "assistant", content: "Let me look.", providerMessage },
  ];
  const sent = (messages: Message[]) =>
    encode({}, "claude-opus-5", messages).body.messages[1].content;
  assert.deepEqual(sent(turn({ format: "claude", content: BLOCKS })), BLOCKS);
  const text = [{ type: "text", text: "Let me look." }];
  assert.deepEqual(sent(turn({ format: "gemini", content: [] })), text);
});

Deno.test("claude decodes a stream into the same as a plain answer", () => {
  const decoder = anthropic.streamDecoder();
  const total = new StreamAccumulator();
  const delta = (index: number, delta: object) => ({ type: "content_block_delta", index, delta });
  const start = (index: number, content_block: object) => ({
    type: "content_block_start",
    index,
    content_block,
  });
  const stop = (index: number) => ({ type: "content_block_stop", index });
  const events = [
    {
      type: "message_start",
      message: { model: "claude-opus-5", usage: { ...USAGE, output_tokens: 1 } },
    },
    start(0, { type: "thinking", thinking: "", signature: "" }),
    { type: "ping" },
    delta(0, { type: "thinking_delta", thinking: "Hm." }),
    delta(0, { type: "signature_delta", signature: "sig" }),
    stop(0),
    start(1, BLOCKS[1]),
    stop(1),
    start(2, { type: "text", text: "", citations: null }),
    delta(2, { type: "text_delta", text: "Let me " }),
    delta(2, { type: "text_delta", text: "look." }),
    stop(2),
    start(3, { ...BLOCKS[3], input: {} }),
    delta(3, { type: "input_json_delta", partial_json: '{"x"' }),
    delta(3, { type: "input_json_delta", partial_json: ":1}" }),
    stop(3),
    start(4, BLOCKS[4]),
    delta(4, { type: "input_json_delta", partial_json: "" }),
    stop(4),
    { type: "some_event_of_the_future" },
    {
      type: "message_delta",
      delta: { stop_reason: "tool_use" },
      usage: { output_tokens: 7, input_tokens: null },
    },
    { type: "message_stop" },
  ];
  for (const event of events) {
    for (const each of decodeEvent(decoder, JSON.stringify(event))) total.add(each);
  }
  assert.ok(decoder.complete && decoder.ended);
  assert.deepEqual(total.partial(), {
    content: "Let me look.",
    thinking: "Hm.",
    usage: DECODED_USAGE,
  });
  assert.deepEqual(total.toolCalls, CALLS);
  assert.deepEqual(total.usage, DECODED_USAGE);
  assert.equal(total.finishReason, "tool_calls");
  assert.deepEqual(decoder.providerMessage(), { format: "claude", content: BLOCKS });
});

Deno.test("claude maps stop reasons and errors", () => {
  const finish = (stop_reason: string) =>
    anthropic.decode({ type: "message", content: [], stop_reason }).finishReason;
  assert.deepEqual(
    [
      "end_turn",
      "stop_sequence",
      "max_tokens",
      "model_context_window_exceeded",
      "refusal",
      "pause_turn",
      "compaction",
      // Reasons that compatible servers translate from other formats.
      "stop",
      "LENGTH",
      "sensitive",
    ].map(finish),
    [
      "stop",
      "stop",
      "length",
      "length",
      "content_filter",
      "other",
      "other",
      "stop",
      "length",
      "content_filter",
    ],
  );
  const push = (error: object) =>
    decodeEvent(anthropic.streamDecoder(), JSON.stringify({ type: "error", error }));
  assert.throws(() => push({ type: "overloaded_error", message: "Overloaded" }), {
    retryable: true,
  });
  const limit = { error_code: "enforced_spend_limit_reached" };
  assert.throws(() => push({ type: "rate_limit_error", message: "spent", details: limit }), {
    code: "quota_exceeded",
  });
  assert.throws(() => anthropic.decode({ choices: [] }), { code: "malformed_response" });
});
