/** The same calls have the same results in every wire format. */
import assert from "node:assert/strict";
import {
  type ClientOptions,
  type FunctionTool,
  LLMClient,
  type Message,
  parseThoughts,
} from "../../mod.ts";
import { type WatchedMock, watchedMock } from "../support/watched_mock.ts";

const FORMATS: Record<string, { options: Partial<ClientOptions>; base: string; path: string }> = {
  chat: {
    options: { model: "qwen3", provider: "auto" },
    base: "/v1",
    path: "/v1/chat/completions",
  },
  responses: {
    options: { model: "gpt-6-sol", api: "responses" },
    base: "/v1",
    path: "/v1/responses",
  },
  claude: {
    options: { model: "claude-opus-5", provider: "claude" },
    base: "/v1",
    path: "/v1/messages",
  },
  gemini: {
    options: { model: "gemini-3-flash", provider: "gemini" },
    base: "/v1beta",
    path: "/v1beta/models/gemini-3-flash",
  },
};

const HELLO: Message[] = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hello there" },
];

const WEATHER: FunctionTool = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather of a city",
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer" } },
      required: ["city"],
    },
  },
};

/** Runs a test once for each wire format. */
function forEachFormat(
  name: string,
  body: (client: LLMClient, mock: WatchedMock, format: string) => Promise<void>,
): void {
  for (const [format, { options, base, path }] of Object.entries(FORMATS)) {
    Deno.test(`${name} (${format})`, async () => {
      await using mock = await watchedMock({ length: 80 });
      const baseUrl = mock.baseUrl.replace("/v1", base);
      await using client = new LLMClient({ baseUrl, apiKey: "test-key", ...options });
      await body(client, mock, format);
      for (const asked of mock.paths) assert.ok(asked.startsWith(path), asked);
    });
  }
}

forEachFormat("a plain answer has text, usage, model and finish reason", async (client) => {
  const result = await client.chatCompletions(HELLO, { maxTokens: 1000 });
  assert.match(result.content, /^You asked: ".*Hello there/);
  assert.equal(result.finishReason, "stop");
  assert.ok(result.usage!.promptTokens > 0);
  assert.equal(result.usage!.completionTokens, 20);
  assert.equal(result.thinking, null);
  assert.deepEqual(result.toolCalls, []);
  assert.equal(result.message.content, result.content);
});

forEachFormat("a streamed answer is the plain one in pieces", async (client) => {
  const plain = await client.chatCompletions(HELLO);
  const stream = client.chatCompletionsStream(HELLO);
  const pieces: string[] = [];
  for await (const piece of stream) pieces.push(piece);
  assert.ok(pieces.length > 10);
  assert.equal(pieces.join(""), plain.content);
  const { latency: _, raw: __, message, ...result } = await stream.finalResult();
  const { latency: ___, raw: ____, message: plainMessage, ...expected } = plain;
  assert.deepEqual(result, expected);
  assert.deepEqual(message.content, plainMessage.content);
});

forEachFormat("an answer that is cut says so", async (client) => {
  const plain = await client.chatCompletions(HELLO, { maxTokens: 5 });
  const streamed = await client.chatCompletionsStream(HELLO, { maxTokens: 5 }).finalResult();
  assert.deepEqual([plain.finishReason, streamed.finishReason], ["length", "length"]);
  assert.equal(plain.content.length, 20);
});

forEachFormat("thinking is asked for and shown, plain and streamed", async (client) => {
  const plain = await client.chatCompletions(HELLO, { thinking: true });
  const streamed = await client.chatCompletionsStream(HELLO, { thinking: true }).finalResult();
  assert.match(plain.thinking!, /^The user asks something/);
  assert.equal(streamed.thinking, plain.thinking);
  assert.equal(plain.usage?.reasoningTokens, 13);
});

forEachFormat(
  "a tool loop goes round, with the thinking carried along",
  async (client, mock, format) => {
    for (const streamed of [false, true]) {
      const thinking = format !== "chat" || undefined;
      const options = { tools: [WEATHER], toolChoice: "required" as const, thinking };
      const first = streamed
        ? await client.chatCompletionsStream(HELLO, options).finalResult()
        : await client.chatCompletions(HELLO, options);
      assert.equal(first.finishReason, "tool_calls");
      const [call] = first.toolCalls;
      assert.equal(call.function.name, "get_weather");
      assert.deepEqual(JSON.parse(call.function.arguments), { city: "text", days: 1 });

      const messages: Message[] = [
        ...HELLO,
        first.message,
        { role: "tool", tool_call_id: call.id, content: "Sunny" },
      ];
      const second = await client.chatCompletions(messages, { tools: [WEATHER] });
      assert.equal(second.finishReason, "stop");
      const sent = JSON.stringify(mock.requests.at(-1));
      assert.ok(sent.includes("Sunny") && sent.includes("get_weather"), sent);
      // Fields that a provider needs back are sent back.
      const opaque = {
        claude: "signature",
        gemini: "thoughtSignature",
        responses: "encrypted_content",
      };
      const wanted = opaque[format as keyof typeof opaque];
      if (wanted !== undefined) assert.ok(sent.includes(`"${wanted}":"`), sent);
    }
  },
);

forEachFormat("structured output fits the schema", async (client) => {
  const schema = WEATHER.function.parameters as Record<string, unknown>;
  const responseFormat = { type: "json_schema" as const, json_schema: { name: "weather", schema } };
  const { content } = await client.chatCompletions(HELLO, { responseFormat });
  assert.deepEqual(JSON.parse(content), { city: "text", days: 1 });
});

for (const [format, { options, base }] of Object.entries(FORMATS)) {
  Deno.test(`errors have the same classes (${format})`, async () => {
    for (const [kind, code] of [["server_error", "http"], ["rate_limit", "rate_limit"]] as const) {
      await using mock = await watchedMock({ errorRate: 1, errorKinds: [kind] });
      const baseUrl = mock.baseUrl.replace("/v1", base);
      const clientOptions = { baseUrl, retryTimes: 0, ...options };
      await using plain = new LLMClient(clientOptions);
      await assert.rejects(plain.chatCompletions(HELLO), { code });
      await using streamed = new LLMClient(clientOptions);
      await assert.rejects(streamed.chatCompletionsStream(HELLO).finalResult(), { code });
    }
  });
}

Deno.test("the wire format is detected from the base URL", async () => {
  const urls: string[] = [];
  const fetch = (url: string) => {
    urls.push(url);
    return Promise.resolve(new Response("{}", { status: 400 }));
  };
  for (
    const baseUrl of [
      "https://api.anthropic.com/v1",
      "https://generativelanguage.googleapis.com/v1beta",
      "https://generativelanguage.googleapis.com/v1beta/openai",
      "https://x.openai.azure.com/openai/deployments/d?api-version=2026-01-01",
    ]
  ) {
    await using client = new LLMClient({ baseUrl, model: "m", fetch });
    await client.chatCompletions(HELLO).catch(() => {});
  }
  assert.deepEqual(urls, [
    "https://api.anthropic.com/v1/messages",
    "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent",
    "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
    "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2026-01-01",
  ]);
});

Deno.test("Responses is chosen only for requests that Chat Completions rejects", async () => {
  const paths: string[] = [];
  const fetch = (url: string) => {
    paths.push(new URL(url).pathname);
    return Promise.resolve(new Response("{}", { status: 400 }));
  };
  const client = new LLMClient({ provider: "openai", fetch });
  const tools = [WEATHER];
  const cases = [
    { model: "gpt-5.5" },
    { model: "gpt-5.5", tools },
    { model: "gpt-5.5", tools, thinking: "high" as const },
    { model: "gpt-5.5", tools, thinking: false as const },
    { model: "gpt-6-sol", tools },
    { model: "gpt-6-sol", thinking: "high" as const },
    { model: "gpt-5.1", tools, thinking: "high" as const },
  ];
  for (const options of cases) await client.chatCompletions(HELLO, options).catch(() => {});
  const chat = "/v1/chat/completions";
  const responses = "/v1/responses";
  assert.deepEqual(paths, [chat, chat, responses, chat, responses, chat, chat]);
});

forEachFormat("parseThoughts() separates thinking and text in a raw answer", async (client) => {
  const { raw, thinking, content } = await client.chatCompletions(HELLO, { thinking: true });
  assert.deepEqual(parseThoughts(raw), { thought: thinking, answer: content });
});

Deno.test("parseThoughts() rejects what is not an answer", () => {
  assert.throws(() => parseThoughts({ hello: "world" }), { code: "malformed_response" });
});
