/** A mock that requires a key rejects requests as each provider does. */
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import {
  AuthenticationError,
  createMockApp,
  LLMClient,
  type MockServer,
  startMockServer,
} from "../../mod.ts";

const HELLO = [{ role: "user" as const, content: "Hello there" }];
const OPTIONS = { apiKey: ["right-key-1", "right-key-2"], length: 20 };

function clients({ baseUrl }: MockServer, apiKey: string) {
  const root = baseUrl.replace("/v1", "");
  return {
    openai: new OpenAI({ baseURL: baseUrl, apiKey, maxRetries: 0 }),
    anthropic: new Anthropic({ baseURL: root, apiKey, maxRetries: 0 }),
    google: new GoogleGenAI({ apiKey, httpOptions: { baseUrl: root } }),
  };
}

function calls(server: MockServer, key: string): (() => Promise<unknown>)[] {
  const { openai, anthropic, google } = clients(server, key);
  return [
    () => openai.chat.completions.create({ model: "m", messages: HELLO }),
    () => openai.responses.create({ model: "m", input: "Hi" }),
    () => openai.embeddings.create({ model: "e", input: "Hi" }),
    () => anthropic.messages.create({ model: "m", max_tokens: 9, messages: HELLO }),
    () => google.models.generateContent({ model: "m", contents: "Hi" }),
    () => openai.models.list(),
  ];
}

Deno.test("the official packages get answers with any of the keys", async () => {
  await using server = await startMockServer(OPTIONS);
  for (const key of OPTIONS.apiKey) {
    for (const call of calls(server, key)) await call();
  }
});

Deno.test("the official packages see a wrong key as their provider reports it", async () => {
  await using server = await startMockServer(OPTIONS);
  const errors: [number, string][] = [];
  for (const call of calls(server, "wrong-key-4567")) {
    await call().then(
      () => assert.fail("it was accepted"),
      (error) => errors.push([error.status, error.message]),
    );
  }
  const [chat, responses, embeddings, anthropic, google, models] = errors;
  for (const [status, message] of [chat, responses, embeddings, models]) {
    assert.equal(status, 401);
    assert.match(message, /Incorrect API key provided: wron\*\*\*\*4567\. You can find/);
  }
  assert.equal(anthropic[0], 401);
  assert.match(anthropic[1], /authentication_error.*invalid x-api-key/);
  assert.equal(google[0], 400);
  assert.match(google[1], /API key not valid.*INVALID_ARGUMENT.*API_KEY_INVALID/s);
});

Deno.test("flexllm recognizes a rejected key in every format", async () => {
  await using server = await startMockServer(OPTIONS);
  const formats = [
    { model: "m", path: "/v1" },
    { model: "m", path: "/v1", api: "responses" as const },
    { model: "m", path: "/v1", provider: "claude" as const },
    { model: "m", path: "/v1beta", provider: "gemini" as const },
  ];
  for (const { path, ...format } of formats) {
    const baseUrl = server.baseUrl.replace("/v1", path);
    await using wrong = new LLMClient({ ...format, baseUrl, apiKey: "wrong-key-4567" });
    await assert.rejects(() => wrong.chatCompletions(HELLO), AuthenticationError);
    await using right = new LLMClient({ ...format, baseUrl, apiKey: "right-key-2" });
    assert.equal((await right.chatCompletions(HELLO)).content.length, 20);
  }
});

Deno.test("each format requires the key in its own place", async () => {
  const app = createMockApp({ apiKey: "right-key-1" });
  const status = async (path: string, headers: Record<string, string>, method = "GET") => {
    const response = await app.fetch(new Request(`http://mock${path}`, { method, headers }));
    await response.body?.cancel();
    return response.status;
  };
  const key = "right-key-1";
  assert.equal(await status("/v1/models", {}), 401);
  assert.equal(await status("/v1/models", { authorization: `Bearer ${key}` }), 200);
  assert.equal(await status("/v1/models", { authorization: `bearer  ${key}` }), 200);
  assert.equal(await status("/v1/models", { authorization: key }), 401);
  assert.equal(await status("/v1/models", { "x-api-key": key }), 401);
  const version = { "anthropic-version": "2023-06-01" };
  assert.equal(await status("/v1/models", { ...version, "x-api-key": key }), 200);
  assert.equal(await status("/v1/models", version), 401);
  assert.equal(await status(`/v1beta/models?key=${key}`, {}), 200);
  assert.equal(await status("/v1beta/models", { "x-goog-api-key": key }), 200);
  assert.equal(await status("/v1beta/models", {}), 403);
  // The log contains prompts.
  assert.equal(await status("/__mock/requests", {}), 401);
  for (const path of ["/", "/health"]) assert.equal(await status(path, {}), 200, path);
  assert.equal(await status("/v1/models", {}, "HEAD"), 200);
});

Deno.test("a key that HTTP cannot carry is a configuration error", () => {
  for (const apiKey of ["", "two words", ["good", "ü"]]) {
    assert.throws(() => createMockApp({ apiKey }), { code: "configuration" });
  }
});
