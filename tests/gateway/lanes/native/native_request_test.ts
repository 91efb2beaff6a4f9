/** Requests of the native lane: the body as it arrived, and only what the provider should see of the rest. */
import assert from "node:assert/strict";
import { isNative, nativeLane } from "../../../../lib/gateway/lanes/native/native_lane.ts";
import type { RawRequest } from "../../../../lib/protocols/protocol.ts";
import { gatewayCall, gatewayEndpoint } from "../../../support/gateway_calls.ts";
import {
  CHAT,
  CLAUDE,
  type Format,
  FORMATS,
  GEMINI,
  RESPONSES,
} from "../../../support/serve_formats.ts";

const anthropic = gatewayEndpoint({
  provider: "claude",
  apiKey: "sk-ant-provider",
  model: "claude-opus-4-8",
});
const openai = gatewayEndpoint({ provider: "openai", apiKey: "sk-provider", model: "gpt-5.4" });
const google = gatewayEndpoint({ provider: "gemini", apiKey: "provider", model: "gemini-3-pro" });
const local = gatewayEndpoint({ baseUrl: "http://localhost:8000/v1", model: "qwen" });
const azure = gatewayEndpoint({
  baseUrl: "https://x.openai.azure.com/openai/deployments/d?api-version=2025-01-01",
  apiKey: "provider",
  model: "gpt-4o",
});
const bedrock = gatewayEndpoint({
  baseUrl: "https://bedrock-mantle.us-east-1.api.aws/anthropic",
  apiKey: "provider",
  model: "anthropic.claude-opus-4-8",
});
const vertex = gatewayEndpoint({
  baseUrl: "https://us-east5-aiplatform.googleapis.com/anthropic",
  apiKey: "provider",
  model: "claude-opus-4-8",
});
const deepseek = gatewayEndpoint({
  baseUrl: "https://api.deepseek.com/anthropic",
  apiKey: "provider",
  model: "deepseek-chat",
});

Deno.test("a call is native where the endpoint speaks the client's format", () => {
  const native = (endpoint: typeof openai) =>
    FORMATS.filter((format) => isNative(gatewayCall(format, {}, { model: "m" }), endpoint))
      .map(({ client }) => client.name);
  assert.deepEqual(native(openai), ["chat", "responses"]);
  assert.deepEqual(native(anthropic), ["claude"]);
  assert.deepEqual(native(google), ["gemini"]);
  assert.deepEqual(native(local), ["chat"]);
  assert.deepEqual(native(deepseek), ["claude"]);
  assert.deepEqual(native(gatewayEndpoint({ baseUrl: "http://h/v1", api: "responses" })), [
    "responses",
  ]);
  assert.deepEqual(native(gatewayEndpoint({ provider: "openai", api: "chat" })), ["chat"]);
});

Deno.test("the URL is the endpoint's", () => {
  const url = (
    { client }: Format,
    { connection, model }: typeof openai,
    { query, ...request }: Partial<Omit<RawRequest, "query">> & { query?: string } = {},
  ) =>
    client.rawRequest?.(connection.endpoint, {
      operation: "chat",
      model: model!,
      query: new URLSearchParams(query),
      ...request,
    })?.url;
  assert.equal(url(CHAT, openai), "https://api.openai.com/v1/chat/completions");
  assert.equal(
    url(CHAT, openai, { operation: "embeddings" }),
    "https://api.openai.com/v1/embeddings",
  );
  assert.equal(url(CHAT, openai, { operation: "count_tokens" }), undefined);
  assert.equal(
    url(RESPONSES, openai, { query: "api-version=1&key=x" }),
    "https://api.openai.com/v1/responses",
  );
  assert.equal(
    url(RESPONSES, openai, { operation: "count_tokens" }),
    "https://api.openai.com/v1/responses/input_tokens",
  );
  assert.equal(
    url(CHAT, azure, { query: "api-version=9" }),
    "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2025-01-01",
  );
  assert.equal(
    url(CHAT, azure, { operation: "embeddings" }),
    "https://x.openai.azure.com/openai/deployments/d/embeddings?api-version=2025-01-01",
  );
  assert.equal(
    url(CLAUDE, anthropic, { query: "beta=true&x=1" }),
    "https://api.anthropic.com/v1/messages?beta=true",
  );
  assert.equal(
    url(CLAUDE, anthropic, { operation: "count_tokens" }),
    "https://api.anthropic.com/v1/messages/count_tokens",
  );
  assert.equal(url(CLAUDE, deepseek), "https://api.deepseek.com/anthropic/v1/messages");
  assert.equal(
    url(GEMINI, google, { query: "key=secret" }),
    "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-pro:generateContent",
  );
  assert.equal(
    url(GEMINI, google, { stream: true }),
    "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse",
  );
  assert.equal(
    url(GEMINI, google, { operation: "count_tokens" }),
    "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-pro:countTokens",
  );
  assert.equal(url(GEMINI, google, { operation: "embeddings" }), undefined);
});

const CLIENT_HEADERS = {
  "authorization": "Bearer client",
  "x-api-key": "client",
  "x-goog-api-key": "client",
  "cookie": "a=b",
  "user-agent": "claude-cli",
  "x-stainless-lang": "js",
  "x-forwarded-host": "evil",
  "openai-organization": "org",
  "openai-beta": "responses=v1",
  "anthropic-version": "2026-10-21",
  "anthropic-beta": "claude-code-20250219,unheard-of-2026-01-01, context-1m-2025-08-07",
  "traceparent": "00-a-b-01",
  "tracestate": "x=1",
};

function headersAt(format: typeof CHAT, endpoint: typeof openai, headers = CLIENT_HEADERS) {
  return nativeLane.encode(gatewayCall(format, { model: "m" }, { headers }), endpoint).encoded
    .headers;
}

Deno.test("only known headers of the client are sent, with the endpoint's key", () => {
  const trace = { "traceparent": "00-a-b-01", "tracestate": "x=1" };
  const common = { ...trace, "content-type": "application/json" };
  assert.deepEqual(headersAt(CLAUDE, anthropic), {
    ...common,
    "x-api-key": "sk-ant-provider",
    "anthropic-version": "2026-10-21",
    "anthropic-beta": "claude-code-20250219,unheard-of-2026-01-01,context-1m-2025-08-07",
  });
  const service = {
    ...common,
    "authorization": "Bearer provider",
    "anthropic-version": "2023-06-01",
  };
  assert.deepEqual(headersAt(CLAUDE, deepseek), {
    ...service,
    "anthropic-beta": "claude-code-20250219,unheard-of-2026-01-01,context-1m-2025-08-07",
  });
  assert.deepEqual(headersAt(CLAUDE, bedrock), {
    ...service,
    "anthropic-beta": "context-1m-2025-08-07",
  });
  assert.deepEqual(headersAt(CLAUDE, vertex), {
    ...service,
    "anthropic-beta": "context-1m-2025-08-07",
  });
  const unknown = { ...CLIENT_HEADERS, "anthropic-beta": "claude-code-20250219,x-2026-01-01" };
  for (const endpoint of [bedrock, vertex]) {
    assert.ok(!("anthropic-beta" in headersAt(CLAUDE, endpoint, unknown)));
  }
  assert.deepEqual(headersAt(CHAT, openai), {
    ...common,
    "authorization": "Bearer sk-provider",
    "openai-beta": "responses=v1",
  });
  assert.deepEqual(headersAt(CHAT, azure), {
    ...common,
    "api-key": "provider",
    "openai-beta": "responses=v1",
  });
  assert.deepEqual(headersAt(GEMINI, google), { ...common, "x-goog-api-key": "provider" });
});

Deno.test("configured betas are added to the client's", () => {
  const endpoint = gatewayEndpoint({
    provider: "claude",
    apiKey: "k",
    model: "m",
    headers: { "Anthropic-Beta": "context-1m-2025-08-07, mine-2026-01-01" },
  });
  const headers = headersAt(CLAUDE, endpoint, {
    ...CLIENT_HEADERS,
    "anthropic-beta": "context-1m-2025-08-07",
  });
  assert.equal(headers["anthropic-beta"], "context-1m-2025-08-07,mine-2026-01-01");
  assert.ok(!("Anthropic-Beta" in headers));
});

Deno.test("an idempotency key is the caller's own at each endpoint", () => {
  const keyOf = (caller: string, endpoint: typeof openai) =>
    nativeLane.encode(
      gatewayCall(CHAT, { model: "m" }, { caller, headers: { "idempotency-key": "1" } }),
      endpoint,
    ).encoded.headers["idempotency-key"];
  assert.equal(keyOf("a", openai), keyOf("a", openai));
  assert.equal(new Set([keyOf("a", openai), keyOf("b", openai), keyOf("a", local)]).size, 3);
});

Deno.test("the body is the client's but for the model", () => {
  const text = '{"stream":true, "model":"alias","temperature":1.0,"x":12345678901234567890}';
  for (
    const [format, endpoint, model] of [
      [CHAT, openai, "gpt-5.4"],
      [RESPONSES, openai, "gpt-5.4"],
      [CLAUDE, anthropic, "claude-opus-4-8"],
    ] as const
  ) {
    const { encoded } = nativeLane.encode(gatewayCall(format, text), endpoint);
    assert.equal(encoded.body, text.replace("alias", model));
  }
  const body = '{"contents":[],"generationConfig":{"temperature":1.0}}';
  const call = gatewayCall(GEMINI, body, { model: "alias" });
  assert.equal(nativeLane.encode(call, google).encoded.body, body);
});

Deno.test("usage is requested only for callers with limits, where the service knows it", () => {
  const bodyFor = (text: string, endpoint: typeof openai, isMetered = true) =>
    nativeLane.encode(gatewayCall(CHAT, text, { isMetered }), endpoint).encoded.body;
  const streamed = '{"model":"qwen","stream":true}';
  assert.equal(
    bodyFor(streamed, local),
    '{"stream_options":{"include_usage":true},"model":"qwen","stream":true}',
  );
  assert.equal(bodyFor(streamed, local, false), streamed);
  assert.equal(bodyFor('{"model":"qwen"}', local), '{"model":"qwen"}');
  const included = '{"model":"qwen","stream":true,"stream_options":{"include_usage": true}}';
  assert.equal(bodyFor(included, local), included);
  assert.equal(
    bodyFor('{"model":"qwen","stream":true,"stream_options":{"include_obfuscation":false}}', local),
    '{"model":"qwen","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":true}}',
  );
  const cohere = gatewayEndpoint({ provider: "cohere", model: "qwen" });
  assert.equal(bodyFor(streamed, cohere), streamed);
});

Deno.test("configured fields are added, and the client's take precedence", () => {
  const endpoint = gatewayEndpoint({
    baseUrl: "http://localhost:8000/v1",
    model: "qwen",
    extraBody: { service_tier: "flex", seed: 1, provider: { order: ["a"] } },
  });
  const call = gatewayCall(
    CHAT,
    '{"model":"a","seed":1.10,"provider":{"sort":"price"},"stream":true}',
    {
      isMetered: true,
    },
  );
  assert.equal(
    nativeLane.encode(call, endpoint).encoded.body,
    '{"service_tier":"flex","seed":1.10,"provider":{"order":["a"],"sort":"price"},"model":"qwen",' +
      '"stream":true,"stream_options":{"include_usage":true}}',
  );
});

Deno.test("the limit that a budget can pay for is in the field that the API reads", () => {
  const sent = (format: Format, body: object, endpoint: typeof openai) => {
    const call = { ...gatewayCall(format, JSON.stringify(body), { model: "m" }), outputLimit: 500 };
    const { model: _, ...rest } = JSON.parse(nativeLane.encode(call, endpoint).encoded.body!);
    return rest;
  };
  const messages = [{ role: "user", content: "Hi" }];
  const chat = { model: "m", messages };
  assert.deepEqual(sent(CHAT, chat, openai), { messages, max_completion_tokens: 500 });
  assert.deepEqual(sent(CHAT, chat, local), { messages, max_tokens: 500 });
  assert.deepEqual(sent(CHAT, { ...chat, max_tokens: -1 }, openai), { messages, max_tokens: 500 });
  assert.deepEqual(sent(CHAT, { ...chat, max_completion_tokens: null }, local), {
    messages,
    max_completion_tokens: 500,
  });
  const response = { model: "m", input: "Hi" };
  assert.deepEqual(sent(RESPONSES, { ...response, max_output_tokens: null }, openai), {
    input: "Hi",
    max_output_tokens: 500,
  });
  assert.deepEqual(sent(CLAUDE, chat, anthropic), { messages, max_tokens: 500 });
  const contents = [{ parts: [{ text: "Hi" }] }];
  assert.deepEqual(sent(GEMINI, { contents, generationConfig: { topK: 3 } }, google), {
    contents,
    generationConfig: { topK: 3, maxOutputTokens: 500 },
  });
  assert.deepEqual(
    sent(GEMINI, { contents, generation_config: { max_output_tokens: -1 } }, google),
    { contents, generation_config: { maxOutputTokens: 500 } },
  );
  const configured = gatewayEndpoint({
    baseUrl: "http://h/v1",
    model: "qwen",
    extraBody: { top_k: 3 },
  });
  assert.deepEqual(sent(CHAT, chat, configured), { top_k: 3, messages, max_tokens: 500 });
});
