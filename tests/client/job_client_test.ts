/** Rows of provider jobs: encoded, decoded, cached, priced and refused as the same calls would be live. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { formatRowId, rowFingerprint } from "../../lib/batch/jobs/row_id.ts";
import { loadFingerprint } from "../../lib/batch/journal/fingerprint.ts";
import { jobClientOf } from "../../lib/client/job_client.ts";
import type { PreparedRow } from "../../lib/batch/jobs/job_client.ts";
import { seededRandom } from "../../lib/runtime/random.ts";
import {
  type ClientOptions,
  ConfigurationError,
  CostTracker,
  createMockApp,
  FlexLLMError,
  LLMClient,
  LLMClientPool,
  type Message,
  SchemaMismatchError,
} from "../../mod.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const HELLO: Message[] = [{ role: "user", content: "Hello!" }];
const OFFLINE = { offline: true };

/** The wire formats, as options of a client. */
const FORMATS: readonly (ClientOptions & { name: string; path: string })[] = [
  { name: "chat", provider: "openai", model: "gpt-4.1-mini", path: "/chat/completions" },
  {
    name: "responses",
    provider: "openai",
    api: "responses",
    model: "gpt-4.1-mini",
    path: "/responses",
  },
  { name: "claude", provider: "claude", model: "claude-haiku-4-5", path: "/messages" },
  {
    name: "gemini",
    provider: "gemini",
    model: "gemini-2.5-flash",
    path: "/models/gemini-2.5-flash:generateContent",
  },
];

function isRow(prepared: object): asserts prepared is PreparedRow {
  assert.ok("request" in prepared, "expected a row to send");
}

function answer(text: string, usage: object = {}) {
  return {
    kind: "answer" as const,
    id: "a",
    body: {
      model: "gpt-4.1-mini",
      choices: [{ index: 0, message: { content: text }, finish_reason: "stop" }],
      usage: { prompt_tokens: 1_000_000, completion_tokens: 0, total_tokens: 1_000_000, ...usage },
    },
  };
}

for (const { name, path, ...options } of FORMATS) {
  Deno.test(`${name}: a row is what a live call sends, and its answer is that of the call`, async () => {
    const random = seededRandom(7);
    const app = createMockApp({ seed: 3 });
    const sent: { url: string; body: string; answer: string }[] = [];
    const fetch = async (url: string, init: RequestInit) => {
      const response = await app.fetch(new Request(url, init));
      sent.push({ url, body: String(init.body), answer: await response.clone().text() });
      return response;
    };
    await using client = new LLMClient({ ...options, apiKey: "sk-test-key", fetch });
    for (let i = 0; i < 40; i++) {
      const call = {
        maxTokens: 1 + Math.floor(random() * 200),
        ...random() < 0.5 ? { temperature: Math.round(random() * 10) / 10 } : {},
        ...random() < 0.3
          ? {
            tools: [{
              type: "function" as const,
              function: {
                name: "weather",
                parameters: {
                  type: "object",
                  properties: { city: { type: "string" }, days: { type: "number" } },
                  required: ["city", "days"],
                },
              },
            }],
            toolChoice: "required" as const,
          }
          : {},
        ...random() < 0.3
          ? {
            responseFormat: {
              type: "json_schema" as const,
              json_schema: {
                name: "stars",
                schema: {
                  type: "object",
                  properties: { stars: { type: "integer" } },
                  required: ["stars"],
                  additionalProperties: false,
                },
              },
            },
          }
          : {},
      };
      const record = {
        index: i,
        messages: [
          ...random() < 0.5 ? [{ role: "system" as const, content: "Be brief." }] : [],
          { role: "user" as const, content: `Question ${i}: ${"ß\u2028 ".repeat(i % 4)}?` },
        ],
      };
      const jobs = jobClientOf(client, call, OFFLINE);
      const prepared = await jobs.prepare(record);
      isRow(prepared);
      const live = await client.chatCompletions(record.messages, call)
        .catch((error) => error as FlexLLMError);
      const { url, body, answer } = sent.at(-1)!;
      assert.equal(prepared.request.body, body);
      assert.equal(prepared.request.model, options.model);
      assert.equal(prepared.request.path, path);
      assert.ok(url.includes(path));
      assert.ok(prepared.promptTokens > 0);
      const row = { kind: "answer" as const, id: "a", body: jobs.parse(answer) };
      const batch = await jobs.decode(row, record).catch((error) => error as FlexLLMError);
      if (live instanceof FlexLLMError || batch instanceof FlexLLMError) {
        assert.equal(String(batch), String(live));
        continue;
      }
      const { cost: _live, latency: _seconds, ...expected } = live;
      const { cost: _batch, latency, ...actual } = batch;
      assert.deepEqual(actual, expected);
      assert.equal(latency, 0);
    }
  });
}

Deno.test("numbers in tool calls come out as the model wrote them", async () => {
  const input = '{"id":1669700650467246081,"price":1.10}';
  const bodies = {
    claude:
      `{"type":"message","model":"m","content":[{"type":"tool_use","id":"t","name":"f","input":${input}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}`,
    gemini:
      `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":${input}}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1}}`,
  };
  for (const [provider, body] of Object.entries(bodies)) {
    await using client = new LLMClient({ provider: provider as "claude" | "gemini", model: "m" });
    const jobs = jobClientOf(client, {}, OFFLINE);
    const row = { kind: "answer" as const, id: "a", body: jobs.parse(body) };
    const { toolCalls, raw } = await jobs.decode(row, { index: 0, messages: HELLO });
    assert.equal(toolCalls[0].function.arguments, input, provider);
    assert.deepEqual(raw, JSON.parse(body));
  }
});

Deno.test("a Chat Completions answer to a Responses row is read, as xAI returns it", async () => {
  await using client = new LLMClient({ provider: "openai", api: "responses", model: "m" });
  const result = await jobClientOf(client, {}, OFFLINE)
    .decode(answer("Hi!"), { index: 0, messages: HELLO });
  assert.equal(result.content, "Hi!");
});

Deno.test("an answer costs the batch price, once, whatever tier it reports", async () => {
  await using client = new LLMClient({ provider: "openai", model: "gpt-4.1-mini" });
  const jobs = jobClientOf(client, {}, OFFLINE);
  const record = { index: 0, messages: HELLO };
  const plain = await jobs.decode(answer("Hi!"), record);
  assert.equal(plain.cost, 0.2);
  const row = answer("Hi!");
  const body = { ...row.body, service_tier: "batch" };
  assert.equal((await jobs.decode({ ...row, body }, record)).cost, 0.2);
});

Deno.test("a cost that the server reports wins, in USD and in xAI's ticks", async () => {
  await using client = new LLMClient({ provider: "xai", model: "grok-4" });
  const jobs = jobClientOf(client, {}, OFFLINE);
  const record = { index: 0, messages: HELLO };
  const cost = async (usage: object) => (await jobs.decode(answer("Hi!", usage), record)).cost;
  assert.equal(await cost({ cost_in_usd_ticks: 12_500_000 }), 0.00125);
  assert.equal(await cost({ cost: 0.5 }), 0.5);
  // xAI's discount differs by model.
  assert.equal(await cost({}), null);
});

Deno.test("errors of rows are the errors of live calls", async () => {
  const cases: [status: number | undefined, body: unknown, code: string, text: RegExp][] = [
    [
      400,
      { error: { message: "bad image", code: "invalid_image" } },
      "http",
      /answered 400: bad image/,
    ],
    [401, { error: { message: "no key" } }, "authentication", /401/],
    [429, { error: { message: "slow down" } }, "rate_limit", /429/],
    [
      429,
      { error: { message: "no money", code: "insufficient_quota" } },
      "quota_exceeded",
      /no money/,
    ],
    [
      400,
      { error: { message: "blocked", code: "content_filter" } },
      "content_blocked",
      /blocked/,
    ],
    // Together's row errors have no envelope, xAI's are text.
    [undefined, { code: "batch_client_error", message: "too long" }, "http", /too long/],
    [undefined, "Invalid temperature", "http", /Invalid temperature/],
    [500, null, "http", /answered 500/],
    [undefined, { reason: "odd" }, "http", /odd/],
  ];
  await using client = new LLMClient({ provider: "openai", model: "m" });
  const jobs = jobClientOf(client, {}, OFFLINE);
  for (const [status, body, code, text] of cases) {
    const row = { kind: "error" as const, id: "a", status, body };
    await assert.rejects(jobs.decode(row, { index: 0, messages: HELLO }), (error) => {
      assert.ok(error instanceof FlexLLMError);
      assert.equal(error.code, code, String(error));
      assert.match(error.message, text);
      return true;
    });
  }
});

Deno.test("errors of rows do not show the key", async () => {
  await using client = new LLMClient({
    provider: "openai",
    model: "m",
    apiKey: "sk-very-secret-key",
  });
  const jobs = jobClientOf(client, {}, OFFLINE);
  const body = { error: { message: "wrong key sk-very-secret-key" } };
  for (
    const row of [
      { kind: "error" as const, id: "a", status: 401, body },
      { kind: "answer" as const, id: "a", body },
    ]
  ) {
    await assert.rejects(jobs.decode(row, { index: 0, messages: HELLO }), (error) => {
      assert.doesNotMatch(String((error as Error).message), /secret/);
      return true;
    });
  }
});

Deno.test("batch and live answers share the cache, in both directions", async () => {
  using folder = temporaryFolder();
  const cache = { store: "sqlite" as const, path: folder.file("cache") };
  let requests = 0;
  const app = createMockApp();
  const fetch = (url: string, init: RequestInit) => {
    requests++;
    return app.fetch(new Request(url, init));
  };
  const options: ClientOptions = { provider: "openai", model: "gpt-4.1-mini", cache, fetch };
  {
    await using client = new LLMClient(options);
    const jobs = jobClientOf(client, {}, OFFLINE);
    const record = { index: 0, messages: HELLO };
    isRow(await jobs.prepare(record));
    await jobs.decode(answer("From a batch"), record);
    const live = await client.chatCompletions(HELLO);
    assert.deepEqual([live.content, live.cached, requests], ["From a batch", true, 0]);
    await client.chatCompletions([{ role: "user", content: "Live" }]);
    assert.equal(requests, 1);
  }
  await using client = new LLMClient(options);
  const jobs = jobClientOf(client, {}, OFFLINE);
  const prepared = await jobs.prepare({
    index: 0,
    messages: [{ role: "user", content: "Live" }],
  });
  assert.ok("cached" in prepared && prepared.cached.cached && prepared.cached.cost === 0);
});

Deno.test("an answer to another request than the command's is priced as sent, and not cached", async () => {
  using folder = temporaryFolder();
  const cache = { store: "sqlite" as const, path: folder.file("cache") };
  await loadFingerprint();
  await using client = new LLMClient({ provider: "openai", model: "gpt-4.1-mini", cache });
  const record = { index: 0, messages: HELLO };
  const sent = jobClientOf(client, { temperature: 0 }, OFFLINE);
  const prepared = await sent.prepare(record);
  isRow(prepared);
  const fingerprint = rowFingerprint(prepared.request);
  const row = {
    ...answer("Sent"),
    id: formatRowId({ nonce: "abcdefghij", index: 0, fingerprint }),
  };
  // The temperature in the configuration was edited meanwhile, or another model is requested.
  const edited = jobClientOf(client, { temperature: 1 }, OFFLINE);
  await edited.decode(row, record);
  isRow(await edited.prepare(record));
  isRow(await sent.prepare(record));
  await sent.decode(row, record);
  assert.ok("cached" in await sent.prepare(record));
  const cost = async (model?: string) => (await sent.decode(row, record, model)).cost;
  assert.deepEqual([await cost(), await cost("gpt-4.1")], [0.2, 1]);
});

Deno.test("an answer whose attachment is gone is decoded, only not cached", async () => {
  using folder = temporaryFolder();
  const image = folder.file("dot.png");
  const png =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  writeFileSync(image, Uint8Array.from(atob(png), (char) => char.charCodeAt(0)));
  const cache = { store: "sqlite" as const, path: folder.file("cache") };
  await using client = new LLMClient({
    provider: "openai",
    model: "m",
    cache,
    attachments: { files: true },
  } as ClientOptions);
  const jobs = jobClientOf(client, {}, OFFLINE);
  const content = [{ type: "image_url" as const, image_url: { url: image } }];
  const record = { index: 0, messages: [{ role: "user" as const, content }] };
  const prepared = await jobs.prepare(record);
  isRow(prepared);
  assert.ok(prepared.request.body.includes(png));
  rmSync(image);
  assert.equal((await jobs.decode(answer("A dot"), record)).content, "A dot");
  await assert.rejects(jobs.prepare(record), { name: "InvalidInputError" });
});

Deno.test("an answer that does not match its schema was paid for; the caller commits what rows cost", async () => {
  const costTracker = new CostTracker({ limit: 10 });
  await using client = new LLMClient({ provider: "openai", model: "gpt-4.1-mini", costTracker });
  const jobs = jobClientOf(client, {
    responseFormat: {
      type: "json_schema",
      json_schema: { name: "s", schema: { type: "object", required: ["a"] } },
    },
  }, OFFLINE);
  const record = { index: 0, messages: HELLO };
  using reservation = await jobs.reserve(4);
  using earlier = jobs.restore(20);
  assert.equal(earlier.cost, 20);
  const result = await jobs.decode(answer('{"a":1}'), record);
  assert.deepEqual(result.parsed, { a: 1 });
  await assert.rejects(jobs.decode(answer("no JSON"), record), (error) => {
    assert.ok(error instanceof SchemaMismatchError);
    assert.equal(error.result?.cost, 0.2);
    return true;
  });
  assert.deepEqual([costTracker.spent, costTracker.reserved], [0, 24]);
  reservation.commit({ ...result, cost: 0.4, requests: 2 });
  assert.deepEqual([costTracker.spent, costTracker.reserved], [0.4, 20]);
  assert.equal(costTracker.report()[0].requests, 2);
});

Deno.test("the maximum cost of a row is that of the batch, and has to be known under a budget", async () => {
  const record = { index: 0, messages: HELLO };
  const maxCost = async (options: ClientOptions) => {
    await using client = new LLMClient(options);
    const prepared = await jobClientOf(client, { maxTokens: 1_000_000 }, OFFLINE).prepare(record);
    isRow(prepared);
    return prepared.maxCost;
  };
  const openai = { provider: "openai", model: "gpt-4.1-mini" } as const;
  assert.equal(await maxCost(openai), 0);
  const known = await maxCost({ ...openai, costTracker: new CostTracker({ limit: 5 }) });
  assert.ok(known! > 0.8 && known! < 0.81, `half of the price of the output, got ${known}`);
  const xai = { provider: "xai", model: "grok-4" } as const;
  await assert.rejects(
    maxCost({ ...xai, costTracker: new CostTracker({ limit: 5 }) }),
    /batch price of grok-4 .* is unknown/,
  );
  const allowUnpriced = new CostTracker({ limit: 5, allowUnpriced: true });
  assert.equal(await maxCost({ ...xai, costTracker: allowUnpriced }), null);
});

Deno.test("what a batch cannot do is refused by name", async () => {
  const openai = { provider: "openai", model: "m" } as const;
  await using client = new LLMClient(openai);
  assert.throws(() => jobClientOf(client, { schemaRetries: 2 }, OFFLINE), /schemaRetries/);
  assert.throws(() => jobClientOf(client, { extraBody: { stream: true } }, OFFLINE), /stream/);
  const jobs = jobClientOf(client, {}, OFFLINE);
  const record = { index: 3, messages: HELLO, options: { extraBody: { stream: true } } };
  await assert.rejects(jobs.prepare(record), /stream/);
  await using pool = new LLMClientPool({
    endpoints: [openai, { baseUrl: "http://gpu:8000/v1", model: "qwen" }],
  });
  assert.throws(() => jobClientOf(pool, {}, OFFLINE), (error) => {
    assert.ok(error instanceof ConfigurationError);
    assert.match(
      error.message,
      /2: m at https:\/\/api\.openai\.com\/v1, qwen at http:\/\/gpu:8000/,
    );
    assert.match(error.hint!, /batch\.via/);
    return true;
  });
  await using deepseek = new LLMClient({ provider: "deepseek", model: "m" });
  assert.throws(() => jobClientOf(deepseek), (error) => {
    assert.ok(error instanceof ConfigurationError);
    assert.match(error.message, /deepseek at .* has no batch API/);
    assert.match(error.hint!, /Anthropic/);
    return true;
  });
});

Deno.test("a service without a batch API can still write rows for elsewhere", async () => {
  await using client = new LLMClient({
    provider: "vllm",
    model: "m",
    baseUrl: "http://gpu:8000/v1",
  });
  assert.throws(() => jobClientOf(client), (error) => {
    assert.match((error as ConfigurationError).hint!, /--export/);
    return true;
  });
  const jobs = jobClientOf(client, {}, OFFLINE);
  isRow(await jobs.prepare({ index: 0, messages: HELLO }));
  assert.throws(() => jobs.api, /no batch API/);
});

Deno.test("the key's fingerprint identifies it without showing it", async () => {
  const fingerprint = async (apiKey?: string) => {
    await using client = new LLMClient({ provider: "openai", model: "m", apiKey });
    return jobClientOf(client, {}, OFFLINE).keyFingerprint;
  };
  assert.match(await fingerprint("sk-1"), /^[0-9a-f]{8}$/);
  assert.notEqual(await fingerprint("sk-1"), await fingerprint("sk-2"));
  assert.equal(await fingerprint("sk-1"), await fingerprint("sk-1"));
  assert.equal(await fingerprint(), "");
});

Deno.test("invalid records fail as they do live", async () => {
  await using client = new LLMClient({ provider: "openai", model: "m" });
  const jobs = jobClientOf(client, {}, OFFLINE);
  await assert.rejects(jobs.prepare({ index: 4, messages: [] }), { name: "InvalidInputError" });
  const metadata: Record<string, unknown> = {};
  metadata.self = metadata;
  await assert.rejects(jobs.prepare({ index: 4, messages: HELLO, metadata }), /record 4: metadata/);
});
