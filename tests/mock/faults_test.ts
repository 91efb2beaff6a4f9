/** Injected faults, and how the client handles them. */
import assert from "node:assert/strict";
import { type FlexLLMError, LLMClient, type MockOptions, startMockServer } from "../../mod.ts";
import { parseCanned } from "../../lib/mock/canned.ts";

const HELLO = [{ role: "user" as const, content: "Hello there" }];
const FORMATS = [
  { model: "m", path: "/v1" },
  { model: "gpt-6", path: "/v1", api: "responses" as const },
  { model: "claude-opus-5", path: "/v1", provider: "claude" as const },
  { model: "gemini-3-flash", path: "/v1beta", provider: "gemini" as const },
];

async function failures(
  options: MockOptions,
  timeout: number,
): Promise<{ plain: FlexLLMError[]; streamed: FlexLLMError[] }> {
  await using server = await startMockServer({ length: 400, ...options });
  const [plain, streamed]: FlexLLMError[][] = [[], []];
  await Promise.all(FORMATS.map(async ({ path, ...format }, i) => {
    const baseUrl = server.baseUrl.replace("/v1", path);
    await using client = new LLMClient({ ...format, baseUrl, retryTimes: 0, timeout });
    await Promise.all([
      client.chatCompletions(HELLO).catch((error) => plain[i] = error),
      client.chatCompletionsStream(HELLO).finalResult().catch((error) => streamed[i] = error),
    ]);
  }));
  return { plain, streamed };
}

Deno.test("each kind of injected error has the expected class and is retryable, in every protocol", async () => {
  const cases = [
    ["server_error", "http"],
    ["overloaded", "http"],
    ["rate_limit", "rate_limit"],
    ["malformed", "malformed_response"],
    ["disconnect", "connection"],
    ["stall", "timeout"],
  ] as const;
  for (const [kind, code] of cases) {
    // A stalled stream never ends by itself. This leaves a busy machine enough time for the first piece.
    const timeout = kind === "stall" ? 3 : 120;
    const { plain, streamed } = await failures({ errorRate: 1, errorKinds: [kind] }, timeout);
    assert.deepEqual(plain.map((error) => error.code), [code, code, code, code], kind);
    assert.deepEqual(streamed.map((error) => error.code), [code, code, code, code], kind);
    assert.ok([...plain, ...streamed].every(({ retryable }) => retryable), kind);
    const broken = kind === "malformed" || kind === "disconnect" || kind === "stall";
    for (const { partial } of streamed) {
      // On a busy machine, the text and the end of the connection arrive together, and Bun drops the text.
      if (kind === "disconnect" && partial === undefined) continue;
      if (broken) assert.match(partial!.content, /^You asked: "Hello there"/);
    }
  }
});

Deno.test("a batch survives every kind of injected error except stalls", async () => {
  await using server = await startMockServer({
    errorRate: 0.3,
    errorKinds: ["server_error", "overloaded", "disconnect", "malformed"],
    seed: 11,
  });
  const { baseUrl } = server;
  await using client = new LLMClient({ baseUrl, model: "m", retryTimes: 10, retryDelay: 0.01 });
  const inputs = Array.from({ length: 60 }, (_, i) => [
    { role: "user" as const, content: `Question ${i}.` },
  ]);
  const { results, summary } = await client.chatCompletionsBatch(inputs);
  assert.deepEqual([summary.succeeded, summary.failed], [60, 0]);
  assert.ok(summary.retries > 10, `${summary.retries} retries`);
  for (const [i, item] of results.entries()) {
    assert.ok(item.status === "success" && item.result.content.includes(`Question ${i}.`));
  }
});

Deno.test("the client waits for a late first token", async () => {
  await using server = await startMockServer({ firstToken: 0.2 });
  await using client = new LLMClient({ baseUrl: server.baseUrl, model: "m", retryTimes: 0 });
  const { finishReason } = await client.chatCompletionsStream(HELLO).finalResult();
  assert.equal(finishReason, "stop");
  await using late = await startMockServer({ firstToken: 600 });
  await using hasty = new LLMClient({ baseUrl: late.baseUrl, model: "m", retryTimes: 0 });
  await assert.rejects(hasty.chatCompletionsStream(HELLO, { timeout: 0.05 }).finalResult(), {
    message: "no first event of the answer within 0.05 s",
  });
});

Deno.test("canned responses answer the matching prompts, in every protocol", async () => {
  const responses = await parseCanned(
    "answers.yaml",
    `
- match: "^weather"
  toolCalls:
    - { name: get_weather, arguments: { city: Oslo } }
    - { name: get_time }
- match: "secret"
  status: 403
  text: "No."
- match: hello
  text: Hello to you
  thinking: They greet me.
- text: Anything else
`,
  );
  await using server = await startMockServer({ responses });
  for (const { path, ...format } of FORMATS) {
    const baseUrl = server.baseUrl.replace("/v1", path);
    await using client = new LLMClient({ ...format, baseUrl, retryTimes: 0 });
    const ask = (content: string) => client.chatCompletions([{ role: "user", content }]);
    const stream = (content: string) =>
      client.chatCompletionsStream([{ role: "user", content }]).finalResult();
    for (const send of [ask, stream]) {
      const weather = await send("weather please");
      assert.equal(weather.finishReason, "tool_calls");
      assert.deepEqual(
        weather.toolCalls.map(({ function: fn }) => [fn.name, JSON.parse(fn.arguments)]),
        [["get_weather", { city: "Oslo" }], ["get_time", {}]],
      );
      assert.equal(new Set(weather.toolCalls.map(({ id }) => id)).size, 2);
      const hello = await send("well, hello");
      assert.deepEqual([hello.content, hello.thinking], ["Hello to you", "They greet me."]);
      assert.equal((await send("what?")).content, "Anything else");
    }
    await assert.rejects(ask("the SECRET"), { code: "authentication", message: /No\./ });
  }
});

Deno.test("invalid canned responses are reported with their location", async () => {
  const cases: [string, string, RegExp][] = [
    ["a.jsonl", '{"text":"x"}\n{"txt":"y"}\n', /^a\.jsonl:2: unknown field "txt"$/],
    ["a.jsonl", "{oops\n", /^a\.jsonl:1: not valid JSON/],
    ["a.yaml", "- match: '('\n", /^a\.yaml:1:3: match: expected a regular expression/],
    ["a.yaml", "text: x\n", /expected a list/],
    ["a.yaml", "- status: 200\n", /^a\.yaml:1:3: status/],
    ["a.yaml", "- delay: soon\n", /^a\.yaml:1:3: delay: expected seconds ≥ 0, or a duration/],
    ["a.yaml", "- delay: -1\n", /^a\.yaml:1:3: delay: expected seconds ≥ 0, or a duration/],
  ];
  for (const [file, text, message] of cases) {
    await assert.rejects(parseCanned(file, text), { code: "invalid_input", message });
  }
});

Deno.test("delays of canned responses take units", async () => {
  const text = "- delay: 0.5\n- delay: 500ms\n- delay: 1.5 m\n- delay: 2h\n";
  const responses = await parseCanned("a.yaml", text);
  assert.deepEqual(responses.map(({ delay }) => delay), [0.5, 0.5, 90, 7200]);
});

Deno.test("the request log returns requests without keys", async () => {
  await using server = await startMockServer({ rps: 5 });
  const { baseUrl } = server;
  await using client = new LLMClient({
    baseUrl,
    model: "m",
    apiKey: "sk-secret-123",
    maxQps: 1000,
  });
  await client.chatCompletions(HELLO);
  const url = baseUrl.replace("/v1", "/__mock/requests");
  const log = await (await fetch(url)).json();
  assert.equal(log.requests.length, 1);
  const [{ method, path, body, status }] = log.requests;
  assert.deepEqual([method, path, status], ["POST", "/v1/chat/completions", 200]);
  assert.deepEqual(body.messages, HELLO);
  assert.ok(!JSON.stringify(log).includes("sk-secret"));
  await fetch(url, { method: "DELETE" });
  assert.deepEqual((await (await fetch(url)).json()).requests, []);
});

Deno.test("rate-limit headers report the state of the limit, in each protocol's form", async () => {
  await using server = await startMockServer({ rps: 5 });
  const post = async (path: string, body: object, headers = {}) => {
    const init = { method: "POST", body: JSON.stringify(body), headers };
    const response = await fetch(`${server.baseUrl}${path}`, init);
    await response.body?.cancel();
    return response.headers;
  };
  const openai = await post("/chat/completions", { model: "m", messages: HELLO });
  assert.equal(openai.get("x-ratelimit-limit-requests"), "5");
  assert.equal(openai.get("x-ratelimit-remaining-requests"), "4");
  assert.match(openai.get("x-ratelimit-reset-requests")!, /^\d+ms$/);
  const anthropic = await post("/messages", { model: "m", max_tokens: 5, messages: HELLO });
  // On a busy machine, the first request is more than a second ago.
  assert.match(anthropic.get("anthropic-ratelimit-requests-remaining")!, /^[34]$/);
  assert.ok(Date.parse(anthropic.get("anthropic-ratelimit-requests-reset")!) > 0);
});
