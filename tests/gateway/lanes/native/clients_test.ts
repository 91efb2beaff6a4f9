/**
 * Requests as real clients send them pass through the gateway byte for byte, but for the model and the key.
 *
 * Shapes: recorded from Claude Code 2.1.197 and Codex CLI 0.171.0; Gemini CLI as its documentation says.
 */
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { createGatewayApp, LLMClientPool } from "../../../../mod.ts";
import type { EndpointOptions } from "../../../../lib/client/client_options.ts";
import {
  CLAUDE_STREAM,
  GEMINI_CHUNKS,
  GEMINI_STREAM,
  RESPONSES_STREAM,
  STREAMED_TEXT,
} from "../../../support/native_streams.ts";

interface Sent {
  url: string;
  headers: Headers;
  body: string;
}

/** A gateway in front of one provider that answers everything with `answer`. */
function gateway(
  options: Partial<EndpointOptions> & { model: string; name?: string },
  answer: string,
  contentType = "text/event-stream",
) {
  const sent: Sent[] = [];
  const fetch = async (url: string, init: RequestInit) => {
    sent.push({
      url,
      headers: new Headers(init.headers),
      body: await new Response(init.body).text(),
    });
    return new Response(answer, {
      headers: { "content-type": contentType, "request-id": "req_up", "set-cookie": "a=b" },
    });
  };
  const pool = new LLMClientPool({ endpoints: [{ apiKey: "sk-up", fetch, ...options }] });
  const app = createGatewayApp(pool, { routes: { alias: [options.model] } });
  const request = (url: string | URL | Request, init?: RequestInit) =>
    Promise.resolve(app.fetch(new Request(url, init)));
  return { sent, app, request, [Symbol.asyncDispose]: () => app.close() };
}

const CLAUDE_CODE = {
  model: "alias",
  messages: [{
    role: "user",
    content: [
      { type: "text", text: "<system-reminder>\nToday is Friday.\n</system-reminder>\n" },
      { type: "text", text: "hi “there” 😀", cache_control: { type: "ephemeral" } },
    ],
  }, {
    role: "assistant",
    content: [
      { type: "thinking", thinking: "Hm.", signature: "EqQBCkYIBxgCKkD/+==" },
      { type: "tool_use", id: "toolu_1", name: "Task1", input: { ratio: 1.5, model: "opus" } },
    ],
  }],
  system: [
    {
      type: "text",
      text: "x-anthropic-billing-header: cc_version=2.1.197.abc; cc_entrypoint=cli;",
    },
    { type: "text", text: "You are Claude Code.", cache_control: { type: "ephemeral", ttl: "1h" } },
    { type: "text", text: "Long instructions.\n".repeat(1000) },
  ],
  tools: Array.from({ length: 24 }, (_, index) => ({
    name: `Task${index}`,
    description: 'Does a "thing".\n'.repeat(80),
    input_schema: {
      type: "object",
      properties: { model: { type: "string", enum: ["sonnet", "opus"] }, ratio: { default: 0.10 } },
      additionalProperties: false,
    },
  })),
  metadata: { user_id: '{"device_id":"d","account_uuid":"","session_id":"s"}' },
  max_tokens: 64000,
  thinking: { type: "adaptive" },
  context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
  output_config: { effort: "high" },
  stream: true,
};

Deno.test("Claude Code's requests and answers pass through", async () => {
  const answer = CLAUDE_STREAM.events.join("");
  await using proxy = gateway({ provider: "claude", model: "claude-opus-4-8" }, answer);
  const body = JSON.stringify(CLAUDE_CODE).replaceAll("0.1}", "0.10}");
  const response = await proxy.request("http://gateway/v1/messages?beta=true", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "authorization": "Bearer client",
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14,new-2026-11-01",
      "x-claude-code-session-id": "s",
      "x-stainless-retry-count": "0",
      "user-agent": "claude-cli/2.1.197 (external, cli)",
    },
    body,
  });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), answer);
  assert.equal(response.headers.get("set-cookie"), null);
  const [{ url, headers, body: received }] = proxy.sent;
  assert.equal(url, "https://api.anthropic.com/v1/messages?beta=true");
  assert.equal(received, body.replace('"model":"alias"', '"model":"claude-opus-4-8"'));
  assert.deepEqual(Object.fromEntries(headers), {
    "content-type": "application/json",
    "x-api-key": "sk-up",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14,new-2026-11-01",
  });
});

const CODEX = {
  model: "alias",
  instructions: "You are Codex.",
  input: [
    { type: "message", role: "developer", content: [{ type: "input_text", text: "Be brief." }] },
    { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] },
    { type: "reasoning", summary: [], encrypted_content: "gAAAAABo", content: null },
    { type: "custom_tool_call", call_id: "c1", name: "apply_patch", input: "*** Begin Patch" },
    { type: "custom_tool_call_output", call_id: "c1", output: "Done!" },
    { type: "additional_tools", tools: [{ type: "new_kind" }] },
  ],
  tools: [
    { type: "function", name: "exec_command", strict: false, parameters: { type: "object" } },
    { type: "namespace", name: "mcp__docs", tools: [{ type: "function", name: "search" }] },
    { type: "web_search", external_web_access: false },
  ],
  tool_choice: "auto",
  parallel_tool_calls: false,
  reasoning: { effort: "medium", summary: "auto" },
  store: false,
  stream: true,
  include: ["reasoning.encrypted_content"],
  prompt_cache_key: "019a",
  client_metadata: { originator: "codex_cli_rs" },
};

Deno.test("Codex's requests and answers pass through", async () => {
  const answer = RESPONSES_STREAM.events.join("");
  await using proxy = gateway({ provider: "openai", model: "gpt-5.4" }, answer);
  const body = JSON.stringify(CODEX);
  const response = await proxy.request("http://gateway/v1/responses", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "authorization": "Bearer client",
      "session-id": "019a",
      "thread-id": "019a",
      "x-codex-turn-metadata": "{}",
      "originator": "codex_cli_rs",
    },
    body,
  });
  assert.equal(await response.text(), answer);
  const [{ url, headers, body: received }] = proxy.sent;
  assert.equal(url, "https://api.openai.com/v1/responses");
  assert.equal(received, body.replace('"model":"alias"', '"model":"gpt-5.4"'));
  assert.deepEqual(Object.fromEntries(headers), {
    "content-type": "application/json",
    "authorization": "Bearer sk-up",
  });
});

const GEMINI_CLI = {
  contents: [{ role: "user", parts: [{ text: "hi" }, { thoughtSignature: "Cs0B", text: "" }] }],
  systemInstruction: { role: "user", parts: [{ text: "You are Gemini CLI." }] },
  tools: [{ functionDeclarations: [{ name: "glob", parametersJsonSchema: { type: "object" } }] }],
  generationConfig: { temperature: 1, topP: 0.95, thinkingConfig: { includeThoughts: true } },
};

Deno.test("Gemini CLI's requests and answers pass through", async () => {
  const answer = GEMINI_STREAM.events.join("");
  await using proxy = gateway({ provider: "gemini", model: "gemini-3-pro" }, answer);
  const body = JSON.stringify(GEMINI_CLI);
  const send = (query: string) =>
    proxy.request(`http://gateway/v1beta/models/alias:streamGenerateContent${query}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-goog-api-key": "client" },
      body,
    });
  assert.equal(await (await send("?alt=sse")).text(), answer);
  const array = await send("");
  assert.match(array.headers.get("content-type")!, /application\/json/);
  assert.deepEqual(await array.json(), GEMINI_CHUNKS);
  for (const { url, headers, body: received } of proxy.sent) {
    assert.equal(
      url,
      "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse",
    );
    assert.equal(received, body);
    assert.deepEqual(Object.fromEntries(headers), {
      "content-type": "application/json",
      "x-goog-api-key": "sk-up",
    });
  }
});

Deno.test("@anthropic-ai/sdk reads a stream with its signature", async () => {
  const answer = CLAUDE_STREAM.events.join("");
  await using proxy = gateway({ provider: "claude", model: "claude-opus-4-8" }, answer);
  const sdk = new Anthropic({
    baseURL: "http://gateway",
    apiKey: "client",
    fetch: proxy.request,
    maxRetries: 0,
  });
  const message = await sdk.beta.messages.stream({
    model: "alias",
    max_tokens: 99,
    messages: [{ role: "user", content: "Hi" }],
    betas: ["context-management-2025-06-27"],
  }).finalMessage();
  assert.deepEqual(message.content, [
    { type: "thinking", thinking: "Hm.", signature: "EqQBCg==" },
    { type: "text", text: STREAMED_TEXT },
  ]);
  assert.equal(proxy.sent[0].headers.get("anthropic-beta"), "context-management-2025-06-27");
});

Deno.test("@anthropic-ai/sdk fails on a stream that ends early", async () => {
  const answer = CLAUDE_STREAM.events.slice(0, 8).join("") + "event: content_bl";
  await using proxy = gateway({ provider: "claude", model: "claude-opus-4-8" }, answer);
  const sdk = new Anthropic({
    baseURL: "http://gateway",
    apiKey: "client",
    fetch: proxy.request,
    maxRetries: 0,
  });
  const stream = sdk.messages.stream({
    model: "alias",
    max_tokens: 99,
    messages: [{ role: "user", content: "Hi" }],
  });
  await assert.rejects(stream.finalMessage(), /before the answer was complete/);
});

Deno.test("openai reads a stream of Responses with its encrypted reasoning", async () => {
  const answer = RESPONSES_STREAM.events.join("");
  await using proxy = gateway({ provider: "openai", model: "gpt-5.4" }, answer);
  const sdk = new OpenAI({
    baseURL: "http://gateway/v1",
    apiKey: "client",
    fetch: proxy.request,
    maxRetries: 0,
  });
  const stream = sdk.responses.stream({ model: "alias", input: "Hi", store: false });
  const { output } = await stream.finalResponse();
  const [reasoning] = output;
  assert.ok(reasoning.type === "reasoning");
  assert.equal(reasoning.encrypted_content, "gAAAA");
});

Deno.test("a whole answer passes with its spelling of numbers", async () => {
  const answer =
    '{ "id":"msg_1","type":"message","role":"assistant","model":"claude-opus-4-8","content":[' +
    '{"type":"tool_use","id":"toolu_1","name":"f","input":{"id":12345678901234567890,"n":1.10}}],' +
    '"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":3} }\n';
  await using proxy = gateway(
    { provider: "claude", model: "claude-opus-4-8" },
    answer,
    "application/json",
  );
  const response = await proxy.request("http://gateway/v1/messages", {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": "client" },
    body: JSON.stringify({
      model: "alias",
      max_tokens: 9,
      messages: [{ role: "user", content: "Hi" }],
    }),
  });
  assert.equal(await response.text(), answer);
  assert.equal(response.headers.get("request-id"), "req_up");
});
