/** Wire format: OpenAI API reference, "Chat Completions"; variations as noted at each test. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { StreamEvent } from "../../../lib/chat/events.ts";
import { StreamAccumulator } from "../../../lib/chat/events.ts";
import { openaiChat as openai } from "../../../lib/protocols/openai_chat/openai_chat.ts";
import { connect } from "../../../lib/services/connect.ts";
import type { ChatRequest } from "../../../lib/protocols/protocol.ts";
import { decodeEvent } from "../../support/decode_event.ts";

function fixture(name: string) {
  return JSON.parse(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), "utf8"));
}

function encode(request: Partial<ChatRequest>, baseUrl = "https://host.example/v1") {
  const { endpoint } = connect({ baseUrl, apiKey: "key", headers: { "x-team": "a" } });
  const encoder = openai.encoder(endpoint);
  const encoded = encoder({
    model: "m",
    messages: [{ role: "user", content: "hi" }],
    options: {},
    stream: false,
    ...request,
  });
  return { ...encoded, body: JSON.parse(encoded.body!) };
}

function decodeStream(chunks: unknown[]): { events: StreamEvent[]; total: StreamAccumulator } {
  const decoder = openai.streamDecoder();
  const total = new StreamAccumulator();
  const events = chunks.flatMap((chunk) => decodeEvent(decoder, JSON.stringify(chunk)));
  for (const event of events) total.add(event);
  return { events, total };
}

Deno.test("openai encodes every option under the name that the API gives it", () => {
  const { request, body } = fixture("openai_chat_request.json");
  assert.deepEqual(encode(request).body, body);
});

Deno.test("openai sends the key and extra headers, and no absent fields", () => {
  const { url, headers, body } = encode({});
  assert.equal(url, "https://host.example/v1/chat/completions");
  assert.deepEqual(headers, {
    "content-type": "application/json",
    authorization: "Bearer key",
    "x-team": "a",
  });
  assert.deepEqual(body, { model: "m", messages: [{ role: "user", content: "hi" }] });
});

Deno.test("openai limits tokens with the field that the service accepts", () => {
  const options = { maxTokens: 9 };
  assert.equal(encode({ options }).body.max_tokens, 9);
  const official = encode({ options }, "https://api.openai.com/v1").body;
  assert.deepEqual([official.max_completion_tokens, official.max_tokens], [9, undefined]);
});

Deno.test("openai decodes a plain answer", () => {
  const { response, completion } = fixture("openai_chat_response.json");
  const { providerMessage, cost, ...decoded } = openai.decode(response);
  assert.deepEqual(decoded, completion);
  assert.deepEqual([providerMessage, cost], [undefined, undefined]);
});

Deno.test("openai decodes answers of servers that omit or rename fields", () => {
  const decode = (message: unknown, rest = {}) =>
    openai.decode({ choices: [{ message }], ...rest });
  assert.equal(decode({ content: null }).content, "");
  assert.equal(
    decode({ content: [{ type: "text", text: "a" }, { type: "text", text: "b" }] }).content,
    "ab",
  );
  // DeepSeek, SGLang; vLLM since 2026, Groq, Ollama, OpenRouter.
  assert.equal(decode({ content: "x", reasoning_content: "why" }).thinking, "why");
  assert.equal(decode({ content: "x", reasoning: "why" }).thinking, "why");
  assert.equal(decode({ content: null, refusal: "I can't" }).content, "I can't");
  assert.equal(decode({ content: "x" }).usage, null);
  // DeepSeek's name for cached tokens.
  const usage = { prompt_tokens: 9, completion_tokens: 1, prompt_cache_hit_tokens: 4 };
  assert.deepEqual(decode({ content: "x" }, { usage }).usage, {
    promptTokens: 9,
    completionTokens: 1,
    totalTokens: 10,
    cachedTokens: 4,
  });
  // Arguments as an object, id missing, and finish_reason "stop" with tool calls.
  const called = decode({ tool_calls: [{ function: { name: "f", arguments: { a: 1 } } }] });
  assert.deepEqual(called.toolCalls, [
    { id: "call_0", type: "function", function: { name: "f", arguments: '{"a":1}' } },
  ]);
  assert.equal(called.finishReason, "tool_calls");
});

Deno.test("openai rejects an answer without choices", () => {
  for (const body of [{}, { choices: [] }, [], "text", null, { choices: [{ message: null }] }]) {
    assert.throws(() => openai.decode(body), { code: "malformed_response" });
  }
});

Deno.test("openai decodes a stream with text, usage and the end", () => {
  const { chunks, result } = fixture("openai_chat_stream.json");
  const { total } = decodeStream(chunks);
  assert.deepEqual({ ...total.partial(), usage: total.usage, end: total.finishReason }, result);
});

Deno.test("openai assembles tool calls, with and without an index", () => {
  const fragments = (indexed: boolean) =>
    [
      { id: "a", function: { name: "f", arguments: "" } },
      { function: { arguments: '{"x":' } },
      { function: { arguments: "1}" } },
      { id: "b", function: { name: "g", arguments: "{}" } },
    ].map((call, i) => ({
      choices: [{
        delta: { tool_calls: [indexed ? { index: i < 3 ? 0 : 1, ...call } : call] },
      }],
    }));
  const expected = [
    { id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } },
    { id: "b", type: "function", function: { name: "g", arguments: "{}" } },
  ];
  for (const indexed of [true, false]) {
    const end = { choices: [{ delta: {}, finish_reason: "stop" }] };
    const { total } = decodeStream([...fragments(indexed), end]);
    assert.deepEqual(total.toolCalls, expected);
    assert.equal(total.finishReason, "tool_calls");
  }
});

Deno.test("openai skips chunks without content", () => {
  const silent = [
    { choices: [] },
    { choices: [{ delta: null, finish_reason: null }] },
    { choices: [{ delta: { content: null } }], usage: null },
    { choices: [{ delta: { role: "", content: "" }, finish_reason: "" }] },
  ];
  assert.deepEqual(decodeStream(silent).events, []);
});

Deno.test("openai throws the right error for an error object in mid-stream", () => {
  const push = (chunk: unknown) => decodeEvent(openai.streamDecoder(), JSON.stringify(chunk));
  assert.throws(() => push({ error: { message: "Overloaded", type: "server_error" } }), {
    code: "http",
    retryable: true,
  });
  // OpenRouter: the status is the code.
  assert.throws(() => push({ error: { code: 429, message: "later" } }), { code: "rate_limit" });
  // vLLM before 0.9.
  assert.throws(() => push({ object: "error", message: "too long", code: 400 }), {
    status: 400,
    retryable: false,
  });
  assert.throws(() => decodeEvent(openai.streamDecoder(), "{half"), { code: "malformed_response" });
});

Deno.test("openai decodes the peculiarities of single services", () => {
  const decode = (message: unknown, rest = {}) =>
    openai.decode({ choices: [{ message }], ...rest });
  // Mistral: thinking parts in the content.
  const parts = [
    { type: "thinking", thinking: [{ type: "text", text: "why" }] },
    { type: "text", text: "because" },
  ];
  const mistral = decode({ content: parts });
  assert.deepEqual([mistral.thinking, mistral.content], ["why", "because"]);
  // xAI: thinking is counted in addition to the completion.
  const usage = {
    prompt_tokens: 10,
    completion_tokens: 5,
    total_tokens: 45,
    completion_tokens_details: { reasoning_tokens: 30 },
  };
  assert.equal(decode({ content: "x" }, { usage }).usage?.completionTokens, 35);
  // OpenRouter: the cost.
  assert.equal(decode({ content: "x" }, { usage: { ...usage, cost: 0.0125 } }).cost, 0.0125);
  // Servers without a reasoning parser.
  assert.equal(decode({ content: "<think>why</think>because" }).thinking, "why");
  // DeepSeek, overloaded.
  assert.throws(
    () =>
      openai.decode({
        choices: [{ message: { content: "x" }, finish_reason: "insufficient_system_resource" }],
      }),
    { retryable: true },
  );
});

Deno.test("openai sends back the reasoning that a service needs in a tool loop", () => {
  const reasoning_details = [{ type: "reasoning.encrypted", data: "opaque" }];
  const call = { id: "a", type: "function" as const, function: { name: "f", arguments: "{}" } };
  const message = {
    content: null,
    reasoning_content: "why",
    reasoning_details,
    tool_calls: [call],
  };
  const { providerMessage } = openai.decode({ choices: [{ message }] });
  const assistant = {
    role: "assistant" as const,
    content: null,
    tool_calls: [call],
    providerMessage,
  };
  const { messages } = encode({ messages: [{ role: "user", content: "hi" }, assistant] }).body;
  assert.deepEqual(messages[1], {
    role: "assistant",
    content: null,
    tool_calls: [call],
    reasoning_content: "why",
    reasoning_details,
  });
  const stream = openai.streamDecoder();
  for (
    const delta of [{ reasoning_content: "w" }, { reasoning_content: "hy", reasoning_details }]
  ) {
    decodeEvent(stream, JSON.stringify({ choices: [{ delta }] }));
  }
  assert.deepEqual(stream.providerMessage(), providerMessage);
});

Deno.test("openai requests thinking in the dialect of each service", () => {
  const cases: [baseUrl: string, thinking: boolean | "high" | number, expected: object][] = [
    ["https://api.openai.com/v1", "high", { reasoning_effort: "high" }],
    ["https://api.deepseek.com", true, { thinking: { type: "enabled" } }],
    ["https://api.deepseek.com", false, { thinking: { type: "disabled" } }],
    ["https://openrouter.ai/api/v1", 2000, { reasoning: { max_tokens: 2000 } }],
    ["https://api.siliconflow.cn/v1", 2000, { enable_thinking: true, thinking_budget: 2000 }],
    ["http://localhost:11434/v1", false, { reasoning_effort: "none" }],
    ["http://gpu:8000/v1", true, {
      chat_template_kwargs: { enable_thinking: true, thinking: true },
    }],
  ];
  for (const [baseUrl, thinking, expected] of cases) {
    const { body } = encode({ options: { thinking } }, baseUrl);
    const { model: _, messages: __, ...rest } = body;
    assert.deepEqual(rest, expected, baseUrl);
  }
  const refused = () =>
    encode({ model: "o3", options: { thinking: false } }, "https://api.openai.com/v1");
  assert.throws(refused, /o3 does not accept the option thinking: false/);
  assert.throws(() => encode({ options: { thinking: 5 } }, "http://gpu:8000/v1"), /as a number/);
});

Deno.test("openai uses the key header and the dialect of the service", () => {
  const baseUrl = "https://x.openai.azure.com/openai/deployments/d?api-version=v";
  const azure = openai.encoder(connect({ baseUrl, apiKey: "key" }).endpoint);
  const request: ChatRequest = {
    model: "m",
    messages: [{ role: "user", content: "hi" }],
    options: {
      seed: 1,
      toolChoice: "required",
      tools: [{ type: "function", function: { name: "f" } }],
    },
    stream: false,
  };
  const { headers } = azure(request);
  assert.deepEqual([headers["api-key"], headers.authorization], ["key", undefined]);
  const mistral = encode(request, "https://api.mistral.ai/v1").body;
  assert.deepEqual([mistral.random_seed, mistral.tool_choice], [1, "any"]);
});

Deno.test("openai finds streamed usage in Groq's former place", () => {
  const x_groq = { usage: { prompt_tokens: 1, completion_tokens: 2 } };
  const { total } = decodeStream([{ choices: [{ delta: {}, finish_reason: "stop" }], x_groq }]);
  assert.equal(total.usage?.totalTokens, 3);
});
