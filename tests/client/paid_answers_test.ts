/** Paid answers are neither lost nor uncounted, and one failure does not stop other calls. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import {
  AbortedError,
  CostTracker,
  JournalError,
  LLMClient,
  LLMClientPool,
  type Message,
} from "../../mod.ts";
import { billingServer, TOKEN_PRICE } from "../support/billing_server.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";

const PRICES = [{ model: "m", input: TOKEN_PRICE * 1e6, output: TOKEN_PRICE * 1e6 }];
const HELLO = [{ role: "user", content: "Hello, how are you today, my dear friend?" }] as const;
const SCHEMA = {
  type: "json_schema",
  json_schema: { name: "a", schema: { type: "object", required: ["a"] } },
} as const;

function options(server: { fetch: ReturnType<typeof billingServer>["fetch"] }) {
  return {
    baseUrl: "http://host/v1",
    model: "m",
    fetch: server.fetch,
    prices: PRICES,
    retryDelay: 0,
  };
}

function near(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${what}: ${actual}, not ${expected}`);
}

/** Waits until only external events are pending. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

Deno.test("a ledger that cannot be written fails its request, and later requests continue", async () => {
  const server = billingServer(["answer"]);
  const costTracker = new CostTracker({ limit: 100 });
  let isFull = true;
  costTracker.persist({
    authorize() {
      if (isFull) throw new JournalError("disk full");
    },
  });
  await using client = new LLMClient({ ...options(server), costTracker });
  await assert.rejects(client.chatCompletions(HELLO, { maxTokens: 20 }), { code: "journal" });
  isFull = false;
  await client.chatCompletions(HELLO, { maxTokens: 20 });
  assert.equal(costTracker.reserved, 0);
  assert.equal(client.stats[0].inFlight, 0);
});

Deno.test("a reservation is made only once, whichever path grants it", async () => {
  const tracker = new CostTracker({ limit: 10 });
  const all = await tracker.reserve(10);
  // Like a queue without a free slot for the request that was waiting for money.
  const busy = { cost: 2, wake: () => tracker.cancel(busy) };
  assert.equal(tracker.tryReserve(busy), undefined);
  const reserved = tracker.reserve(3);
  all.release();
  const reservation = await reserved;
  assert.equal(tracker.reserved, 3);
  reservation.release();
  assert.equal(tracker.reserved, 0);
});

Deno.test("a streamed answer is cached with its parsed value, and only if it matches the schema", async () => {
  const server = billingServer(["misfit", "answer"]);
  await using client = new LLMClient({ ...options(server), cache: { store: "memory" } });
  const format = { responseFormat: SCHEMA };
  await assert.rejects(client.chatCompletionsStream(HELLO, format).finalResult(), {
    code: "schema_mismatch",
  });
  const streamed = await client.chatCompletionsStream(HELLO, format).finalResult();
  const cached = await client.chatCompletions(HELLO, format);
  assert.equal(server.received(), 2);
  assert.equal(cached.cached, true);
  assert.deepEqual([streamed.parsed, cached.parsed], [{ a: 1 }, { a: 1 }]);
});

Deno.test("a record that does not match the result file loses no answer of other records", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const old = {
    index: 7,
    output: "x",
    status: "success",
    input: [{ role: "user", content: "no" }],
  };
  writeFileSync(output, `${JSON.stringify(old)}\n`);
  const server = billingServer(["answer"]);
  await using client = new LLMClient({ ...options(server), concurrencyLimit: 16 });
  // Not an array: that would be checked completely before anything is sent.
  const inputs = new Set(
    Array.from({ length: 12 }, (_, i) => [{ role: "user", content: `${i}` }] as const),
  );
  const { results, stoppedBy } = await client.chatCompletionsBatch(inputs, { output });
  assert.equal(stoppedBy?.code, "journal_mismatch");
  assert.equal(results.length, server.received());
  const lines = jsonLines(readFileSync(output, "utf8"));
  assert.equal(lines.length, 1 + server.received());
});

Deno.test("a batch whose client is closed is reported as aborted, even while it waits for a retry", async () => {
  const closed = Promise.withResolvers<void>();
  let received = 0;
  const fetch = () => {
    if (++received === 3) closed.resolve();
    return Promise.resolve(
      received < 3
        ? Response.json({ choices: [{ message: { content: "a" }, finish_reason: "stop" }] })
        : new Response("{}", { status: 429, headers: { "retry-after": "500" } }),
    );
  };
  const client = new LLMClient({ ...options({ fetch }), concurrencyLimit: 1 });
  const batch = client.chatCompletionsBatch(Array.from({ length: 10 }, () => [...HELLO]));
  await closed.promise;
  await settle();
  await client.close();
  const { results, stoppedBy, summary } = await batch;
  assert.equal(results.length, 2);
  assert.ok(stoppedBy instanceof AbortedError);
  assert.equal(summary.succeeded, 2);
});

Deno.test("the cost of an attempt that failed before a schema mismatch counts in the schema retry", async () => {
  const costTracker = new CostTracker();
  const usage = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 };
  const answer = (finish_reason: string, content: string) =>
    Response.json({
      model: "m",
      choices: [{ index: 0, finish_reason, message: { content } }],
      usage,
    });
  const answers = [
    () => answer("error", "{"),
    () =>
      Response.json({
        error: { code: "json_validate_failed", message: "no JSON", failed_generation: "{" },
      }, { status: 400 }),
    () => answer("stop", '{"a":1}'),
  ];
  const fetch = () => Promise.resolve(answers.shift()!());
  await using client = new LLMClient({ ...options({ fetch }), costTracker });
  const { results: [item], summary } = await client.chatCompletionsBatch([[...HELLO]], {
    responseFormat: SCHEMA,
    schemaRetries: 1,
  });
  assert.equal(item.status, "success");
  near(costTracker.spent, 60 * TOKEN_PRICE, "tracker");
  near(summary.cost, costTracker.spent, "summary");
});

Deno.test("an invalid schema stops the batch, and the cost of its answers is counted", async () => {
  const server = billingServer(["answer"]);
  const costTracker = new CostTracker();
  await using client = new LLMClient({ ...options(server), costTracker, concurrencyLimit: 2 });
  const responseFormat = {
    type: "json_schema",
    json_schema: { name: "a", schema: { $ref: "#/nowhere" } },
  } as const;
  const { results, stoppedBy, summary } = await client.chatCompletionsBatch(
    Array.from({ length: 50 }, (_, i) => [{ role: "user", content: `Question ${i}` }] as const),
    { responseFormat },
  );
  assert.equal(stoppedBy?.code, "configuration");
  assert.match(stoppedBy!.message, /^the schema of the answer is invalid: Unresolved \$ref/);
  assert.ok(server.received() <= 4, `${server.received()} sent`);
  assert.equal(results.length, server.received());
  near(summary.cost, server.billed(), "summary");
  near(costTracker.spent, server.billed(), "tracker");
});

Deno.test("a request waiting for the only endpoint that supports it does not delay others", async () => {
  const held = Promise.withResolvers<void>();
  const openai = async () => {
    await held.promise;
    const message = { content: "a" };
    return Response.json({ choices: [{ index: 0, finish_reason: "stop", message }] });
  };
  const content = [{ type: "text", text: "b" }];
  const claude = () => {
    const answer = { type: "message", role: "assistant", content, stop_reason: "end_turn" };
    return Promise.resolve(Response.json(answer));
  };
  const common = { apiKey: "k", model: "m", concurrencyLimit: 1 };
  await using pool = new LLMClientPool({
    endpoints: [
      { ...common, provider: "openai", baseUrl: "http://a/v1", fetch: openai },
      { ...common, provider: "claude", baseUrl: "http://b", fetch: claude },
    ],
    loadBalance: "round_robin",
    retryTimes: 0,
  });
  // Claude does not support audio.
  const audio: Message[] = [{
    role: "user",
    content: [{ type: "input_audio", input_audio: { data: "AAAA", format: "wav" } }],
  }];
  const first = pool.chatCompletions(audio);
  const second = pool.chatCompletions(audio);
  await settle();
  const text = pool.chatCompletions(HELLO).then(({ content }) => content);
  assert.equal(await Promise.race([text, settle().then(() => "held up")]), "b");
  held.resolve();
  await Promise.all([first, second]);
});

Deno.test("the arguments of tool calls in an abandoned stream count towards its cost", async () => {
  const sent = "x".repeat(4000);
  const call = { index: 0, id: "c", type: "function", function: { name: "f", arguments: sent } };
  const chunk = { choices: [{ index: 0, delta: { tool_calls: [call] } }] };
  const fetch = () =>
    Promise.resolve(
      new Response(`data: ${JSON.stringify(chunk)}\n\n`, {
        headers: { "content-type": "text/event-stream" },
      }),
    );
  const costTracker = new CostTracker({ limit: 100 });
  await using client = new LLMClient({ ...options({ fetch }), costTracker });
  for await (const _ of client.chatCompletionsStream(HELLO, { maxTokens: 4000 }).events) break;
  assert.ok(costTracker.spent > 1000 * TOKEN_PRICE, `${costTracker.spent}`);
  assert.equal(costTracker.reserved, 0);
});
