/** Costs are recorded as the server billed them, including failures, aborts and retries. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import {
  type BatchRecord,
  CostTracker,
  FlexLLMError,
  LLMClient,
  LLMClientPool,
  type PoolOptions,
} from "../../mod.ts";
import { LiveExecutor } from "../../lib/batch/executors/live.ts";
import { BatchRun } from "../../lib/batch/run.ts";
import { completionsOf } from "../../lib/client/client.ts";
import { Journal } from "../../lib/batch/journal/journal.ts";
import {
  type BillingServer,
  billingServer,
  type Deed,
  TOKEN_PRICE,
} from "../support/billing_server.ts";
import { EndpointLimits } from "../../lib/scheduling/endpoint_limits.ts";
import { Scheduler } from "../../lib/scheduling/scheduler.ts";
import { VirtualClock } from "../support/virtual_clock.ts";
import { jsonLines, memoryFolder } from "../support/temporary_folder.ts";

const PRICES = [{ model: "m", input: TOKEN_PRICE * 1e6, output: TOKEN_PRICE * 1e6 }];
const SCHEMA = {
  type: "json_schema",
  json_schema: { name: "a", schema: { type: "object", required: ["a"] } },
} as const;
// Long enough to be estimated at no less than the tokens that the server bills.
const HELLO = [{ role: "user", content: "Hello, how are you today, my dear friend?" }] as const;

function options(server: BillingServer, costTracker: CostTracker) {
  return {
    baseUrl: "http://host/v1",
    model: "m",
    fetch: server.fetch,
    prices: PRICES,
    costTracker,
    retryDelay: 0,
  };
}

function near(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${what}: ${actual}, not ${expected}`);
}

Deno.test("identical calls that share a mismatching answer pay once and have separate errors", async () => {
  const server = billingServer(["misfit"]);
  const costTracker = new CostTracker();
  await using client = new LLMClient({
    ...options(server, costTracker),
    cache: { store: "memory" },
  });
  const records = Array.from({ length: 10 }, () => ({ messages: HELLO }));
  const { results, summary } = await client.chatCompletionsBatch(records, {
    responseFormat: SCHEMA,
    schemaRetries: 1,
  });
  const errors = results.map((item) => item.status === "error" ? item.error : undefined);
  assert.equal(new Set(errors).size, 10);
  assert.deepEqual(new Set(errors.map((error) => error?.code)), new Set(["schema_mismatch"]));
  near(costTracker.spent, server.billed(), "tracker");
  near(summary.cost, server.billed(), "summary");
});

Deno.test("a schema retry answered from the cache includes the cost of the first answer", async () => {
  const server = billingServer(["misfit", "answer", "misfit"]);
  const costTracker = new CostTracker();
  await using client = new LLMClient({
    ...options(server, costTracker),
    cache: { store: "memory" },
  });
  const batch = { responseFormat: SCHEMA, schemaRetries: 1 };
  const first = await client.chatCompletionsBatch([[...HELLO]], batch);
  const second = await client.chatCompletionsBatch([[...HELLO]], batch);
  assert.deepEqual([first.summary.succeeded, second.summary.succeeded], [1, 1]);
  near(first.summary.cost + second.summary.cost, server.billed(), "summaries");
  near(costTracker.spent, server.billed(), "tracker");
});

Deno.test("a refusal is an answer without a parsed value: not retried, counted as refused", async () => {
  for (const cache of [false, { store: "memory" as const }]) {
    const server = billingServer(["refuse"]);
    const costTracker = new CostTracker();
    await using client = new LLMClient({ ...options(server, costTracker), cache });
    const { results: [item], summary } = await client.chatCompletionsBatch([[...HELLO]], {
      responseFormat: SCHEMA,
      schemaRetries: 3,
    });
    assert.equal(server.received(), 1);
    assert.equal(item.status, "success");
    assert.equal(item.status === "success" && item.result.refusal, "I can't help with that.");
    assert.equal(item.status === "success" && item.result.finishReason, "content_filter");
    assert.deepEqual([summary.succeeded, summary.refused], [1, 1]);
    near(summary.cost, server.billed(), "summary");
    await client.chatCompletions(HELLO, { responseFormat: SCHEMA });
    assert.equal(server.received(), 2, "a refusal is never taken from the cache");
  }
});

Deno.test("a stream that is cancelled or breaks off is paid for", async () => {
  const server = billingServer(["answer"]);
  const costTracker = new CostTracker({ limit: 100 });
  await using client = new LLMClient(options(server, costTracker));
  for await (const _ of client.chatCompletionsStream(HELLO, { maxTokens: 20 })) break;
  assert.ok(costTracker.spent > 0);
  assert.equal(costTracker.reserved, 0);
});

Deno.test("cancelled streams cannot exceed a budget", async () => {
  const server = billingServer(["answer"]);
  const costTracker = new CostTracker({ limit: 0.3 });
  await using client = new LLMClient(options(server, costTracker));
  const leave = async () => {
    for await (const _ of client.chatCompletionsStream(HELLO, { maxTokens: 20 })) break;
  };
  await assert.rejects(async () => {
    for (let i = 0; i < 100; i++) await leave();
  }, { code: "budget_exceeded" });
});

Deno.test("an aborted or timed-out request counts with its maximum cost", async () => {
  for (const isAborted of [true, false]) {
    const server = billingServer(["silence"]);
    const costTracker = new CostTracker({ limit: 100 });
    await using client = new LLMClient({
      ...options(server, costTracker),
      retryTimes: 0,
      timeout: isAborted ? 100 : 0.01,
    });
    const controller = new AbortController();
    const call = client.chatCompletions(HELLO, { maxTokens: 20, signal: controller.signal });
    if (isAborted) {
      while (server.received() === 0) await Promise.resolve();
      controller.abort();
    }
    await assert.rejects(call, { code: isAborted ? "aborted" : "timeout" });
    assert.ok(costTracker.spent >= server.billed() - 1e-9, `${costTracker.spent}`);
    assert.equal(costTracker.reserved, 0);
  }
});

Deno.test("a request waiting for budget holds no slot, and a free one does not wait", async () => {
  const server = billingServer(["answer"]);
  const held = Promise.withResolvers<void>();
  const entered: string[] = [];
  const costTracker = new CostTracker({ limit: 0.05 });
  const fetch: typeof server.fetch = async (url, init) => {
    const { model } = JSON.parse(String(init.body));
    entered.push(model);
    if (model === "m") await held.promise;
    return await server.fetch(url, init);
  };
  await using client = new LLMClient({
    ...options(server, costTracker),
    fetch,
    prices: [...PRICES, { model: "free", input: 0, output: 0 }],
    concurrencyLimit: 2,
  });
  const first = client.chatCompletions(HELLO, { maxTokens: 25 });
  const second = client.chatCompletions(HELLO, { maxTokens: 25 });
  const free = await client.chatCompletions(HELLO, { model: "free", maxTokens: 25 });
  assert.equal(free.cost, 0);
  assert.deepEqual(entered, ["m", "free"]);
  assert.equal(client.stats[0].inFlight, 1);
  held.resolve();
  await first;
  await second.catch(() => {});
});

Deno.test("the rate limit applies to requests that waited for budget", async () => {
  const clock = new VirtualClock();
  const budget = new CostTracker({ limit: 1 });
  const settings = {
    concurrency: 100,
    maxQps: 20,
    maxTpm: undefined,
    adaptive: false,
    failureThreshold: undefined,
    recoveryTime: undefined,
    retryTimes: 0,
    retryDelay: 1,
    maxWait: 600,
    loadBalance: "fallback" as const,
    fallback: false,
    clock,
    random: () => 0.5,
    budget,
  };
  const scheduler = new Scheduler(
    [{ limits: new EndpointLimits(settings, true), weight: 1 }],
    settings,
  );
  const started: number[] = [];
  const send = (cost: number, ms: number) =>
    scheduler.run(async () => {
      started.push(clock.now());
      await clock.sleep(ms);
    }, { prepare: () => cost });
  // The first request reserves the whole budget for so long that the rate limit would let all others start.
  const calls = [send(0.99, 10_000), ...Array.from({ length: 60 }, () => send(0.02, 5))];
  await clock.run(Promise.all(calls));
  assert.equal(started.length, 61);
  for (const from of started) {
    const window = started.filter((at) => at >= from && at < from + 1000);
    assert.ok(window.length <= 20, `${window.length} in a second`);
  }
});

const deed = fc.constantFrom<Deed>(
  "answer",
  "answer",
  "misfit",
  "refuse",
  "overload",
  "break",
  "half",
);

Deno.test("journal, tracker and summary agree in any mix of features, and never below the server's bill", async () => {
  using folder = memoryFolder();
  let file = 0;
  const scenario = fc.record({
    endpoints: fc.array(fc.array(deed, { minLength: 1, maxLength: 12 }), {
      minLength: 1,
      maxLength: 3,
    }),
    questions: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 15 }),
    cache: fc.boolean(),
    hasSchema: fc.boolean(),
    schemaRetries: fc.integer({ min: 0, max: 2 }),
    retryTimes: fc.integer({ min: 0, max: 2 }),
    limit: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
    runs: fc.integer({ min: 1, max: 3 }),
    concurrency: fc.integer({ min: 1, max: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async (it) => {
      const output = folder.file(`${file++}.jsonl`);
      const servers = it.endpoints.map((deeds) => billingServer(deeds));
      const limit = it.limit === undefined ? undefined : it.limit / 100;
      let [summed, spent] = [0, 0];
      for (let run = 0; run < it.runs; run++) {
        const costTracker = new CostTracker({ limit });
        const poolOptions: PoolOptions = {
          endpoints: servers.map((server, i) => ({
            baseUrl: `http://host${i}/v1`,
            model: "m",
            fetch: server.fetch,
            prices: PRICES,
            concurrencyLimit: it.concurrency,
          })),
          costTracker,
          retryDelay: 0,
          // An endpoint that counts as down is tried anyway, without waiting for it.
          recoveryTime: 0,
          maxWait: 0.01,
          retryTimes: it.retryTimes,
          cache: it.cache && { store: "memory" },
        };
        await using pool = new LLMClientPool(poolOptions);
        const journal = await Journal.open(output);
        costTracker.addSpent(journal.cost);
        const records: (BatchRecord & { index: number })[] = it.questions.map((
          question,
          index,
        ) => ({
          index,
          messages: [{ role: "user", content: `Question ${question}, to be answered with care` }],
        }));
        const executor = new LiveExecutor(completionsOf(pool), {
          request: {
            maxTokens: 20,
            responseFormat: it.hasSchema ? SCHEMA : undefined,
            schemaRetries: it.schemaRetries,
          },
          isJournaled: true,
        });
        const batch = new BatchRun(executor, { journal });
        try {
          for await (const _ of batch.items(records));
        } catch (error) {
          if (!(error instanceof FlexLLMError)) throw error;
        }
        journal.compact();
        summed += batch.summary().cost;
        spent = costTracker.spent;
        near(journal.cost, costTracker.spent, "journal and tracker");
        journal.close();
      }
      const billed = servers.reduce((sum, server) => sum + server.billed(), 0);
      const lines = existsSync(output) ? jsonLines(readFileSync(output, "utf8")) : [];
      const inLines = lines.reduce(
        (sum, { cost = 0, spent_before = 0 }) => sum + cost + spent_before,
        0,
      );
      near(inLines, spent, "lines and tracker");
      near(summed, spent, "summaries and tracker");
      // Without a budget, the cost of lost answers is unknown.
      if (limit !== undefined) {
        assert.ok(billed <= limit + 1e-9, `${billed} billed, budget ${limit}`);
        assert.ok(spent >= billed - 1e-9, `${spent} recorded, ${billed} billed`);
      }
    }),
    { numRuns: 150 },
  );
});
