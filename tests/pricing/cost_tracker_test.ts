import assert from "node:assert/strict";
import fc from "fast-check";
import { type ChatResult, CostTracker, LLMClient, LLMClientPool, type Message } from "../../mod.ts";
import { completion, httpAnswer, startRawServer } from "../support/raw_server.ts";
import { watchedMock } from "../support/watched_mock.ts";

const HELLO: Message[] = [{ role: "user", content: "Hello!" }];

function result(cost: number | null, model = "m", endpoint = "http://h/v1"): ChatResult {
  const usage = { promptTokens: 10, completionTokens: 5, totalTokens: 15 };
  return { cost, model, endpoint, usage } as ChatResult;
}

Deno.test("what fits goes at once, what does not waits for others, and the rest is refused", async () => {
  const tracker = new CostTracker({ limit: 10 });
  const first = tracker.reserve(6);
  assert.ok(typeof first === "function", "fits at once");
  const second = tracker.reserve(6);
  const third = tracker.reserve(3);
  assert.ok(second instanceof Promise && third instanceof Promise, "nobody goes past the first");
  assert.deepEqual([tracker.spent, tracker.reserved, tracker.remaining], [0, 6, 4]);
  tracker.record(result(3));
  first();
  const release = await second;
  assert.deepEqual([tracker.spent, tracker.reserved], [3, 6]);
  tracker.record(result(5));
  release();
  await assert.rejects(third, {
    code: "budget_exceeded",
    limit: 10,
    spent: 8,
    needed: 3,
    message: "the budget of $10 does not allow the next request: $8 spent, and it may cost $3",
  });
});

Deno.test("giving back twice, and cancelling, count once", async () => {
  const tracker = new CostTracker({ limit: 10 });
  const release = await tracker.reserve(8);
  const cancelled = new AbortController();
  const waiting = tracker.reserve(8, cancelled.signal);
  const behind = tracker.reserve(1);
  cancelled.abort();
  await assert.rejects(async () => await waiting, { code: "aborted" });
  (await behind)();
  release();
  release();
  assert.deepEqual([tracker.reserved, tracker.remaining], [0, 10]);
});

Deno.test("what is free is never refused, and keeps nobody waiting", async () => {
  const tracker = new CostTracker({ limit: 1 });
  tracker.record(result(1.5));
  assert.equal(tracker.remaining, 0);
  assert.equal(typeof tracker.reserve(0), "function");
  await assert.rejects(async () => await tracker.reserve(0.1), { code: "budget_exceeded" });
});

Deno.test("ten tenths fit into a budget of one, whatever binary fractions say", () => {
  for (const [limit, cost, times] of [[0.3, 0.1, 3], [1, 0.1, 10], [0.7, 0.1, 7]]) {
    const tracker = new CostTracker({ limit });
    for (let i = 0; i < times; i++) {
      assert.equal(typeof tracker.reserve(cost), "function", `${i} of ${limit}`);
    }
    const more = tracker.reserve(cost);
    assert.ok(more instanceof Promise);
    more.catch(() => {});
  }
});

Deno.test("a signal that fires after the reservation was given changes nothing", async () => {
  const tracker = new CostTracker({ limit: 1 });
  const first = await tracker.reserve(1);
  const controller = new AbortController();
  const second = tracker.reserve(1, controller.signal);
  first();
  const release = await second;
  controller.abort();
  assert.equal(tracker.reserved, 1);
  release();
  assert.equal(tracker.reserved, 0);
});

Deno.test("whatever is reserved and settled, the limit holds and nobody waits for ever", async () => {
  const request = fc.record({
    reserved: fc.integer({ min: 1, max: 40 }),
    share: fc.integer({ min: 0, max: 100 }),
    turns: fc.integer({ min: 0, max: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 200 }),
      fc.array(request, { maxLength: 40 }),
      async (limit, requests) => {
        const tracker = new CostTracker({ limit });
        const granted: number[] = [];
        await Promise.all(requests.map(async ({ reserved, share, turns }, i) => {
          try {
            const release = await tracker.reserve(reserved);
            granted.push(i);
            assert.ok(tracker.spent + tracker.reserved <= limit + 1e-9);
            for (let turn = 0; turn < turns; turn++) await Promise.resolve();
            tracker.record(result(reserved * share / 100));
            release();
          } catch (error) {
            assert.equal((error as { code: string }).code, "budget_exceeded");
          }
        }));
        assert.ok(tracker.spent <= limit + 1e-9, `${tracker.spent} of ${limit}`);
        assert.deepEqual(granted, granted.toSorted((a, b) => a - b), "in their order");
      },
    ),
    { seed: 42, numRuns: 300 },
  );
});

Deno.test("the warning comes once; the report counts by model and endpoint", () => {
  const warnings: number[] = [];
  const tracker = new CostTracker({ warning: 1, onWarning: (spent) => warnings.push(spent) });
  for (const cost of [0.5, 0.75, 2]) tracker.record(result(cost, "a"));
  tracker.record(result(null, "b"));
  assert.deepEqual(warnings, [1.25]);
  assert.equal(tracker.remaining, Infinity);
  const row = { endpoint: "http://h/v1", promptTokens: 30, completionTokens: 15 };
  assert.deepEqual(tracker.report(), [
    { ...row, model: "a", requests: 3, cost: 3.25, unpriced: 0 },
    {
      ...row,
      model: "b",
      requests: 1,
      promptTokens: 10,
      completionTokens: 5,
      cost: null,
      unpriced: 1,
    },
  ]);
});

Deno.test("wrong amounts are told", () => {
  assert.throws(() => new CostTracker({ limit: -1 }), { code: "configuration" });
  assert.throws(() => new CostTracker({ warning: NaN }), { code: "configuration" });
  const tracker = new CostTracker({ limit: 1 });
  for (const cost of [-1, NaN, Infinity]) {
    assert.throws(() => tracker.reserve(cost), { code: "configuration", message: /^cost: / });
  }
});

Deno.test("no cost, however odd, gives money back; what was spent before counts for the warning", () => {
  const warnings: number[] = [];
  const tracker = new CostTracker({ warning: 2, onWarning: (spent) => warnings.push(spent) });
  tracker.record(result(1));
  tracker.record(result(-5));
  assert.equal(tracker.spent, 1);
  tracker.addSpent(1.5);
  assert.deepEqual(warnings, [2.5]);
});

/** USD per million tokens: a token costs a thousandth of a dollar. */
const PRICES = [{ model: "m", input: 1000, output: 1000 }];

Deno.test("a batch stops before its budget is passed, and keeps what it has", async () => {
  await using mock = watchedMock({ length: 200 });
  const costTracker = new CostTracker({ limit: 2 });
  await using client = new LLMClient({
    baseUrl: mock.baseUrl,
    model: "m",
    prices: PRICES,
    costTracker,
  });
  const answered: number[] = [];
  const run = async () => {
    const inputs = Array.from({ length: 100 }, () => HELLO);
    for await (const item of client.iterChatCompletionsBatch(inputs, { maxTokens: 60 })) {
      if (item.status === "success") answered.push(item.result.cost!);
    }
  };
  await assert.rejects(run(), { code: "budget_exceeded" });
  const spent = answered.reduce((sum, cost) => sum + cost, 0);
  assert.ok(answered.length > 10 && spent <= 2, `${answered.length} answers for ${spent}`);
  assert.ok(2 - spent < 0.1, `${spent}: no more than one request is left over`);
  assert.equal(mock.requests.length, answered.length);
});

Deno.test("without a known price a budget is refused, unless that is allowed", async () => {
  await using mock = watchedMock();
  const ask = async (allowUnpriced: boolean) => {
    const costTracker = new CostTracker({ limit: 1, allowUnpriced });
    await using client = new LLMClient({ baseUrl: mock.baseUrl, model: "m", costTracker });
    return await client.chatCompletions(HELLO);
  };
  await assert.rejects(ask(false), {
    code: "configuration",
    message: /^m at .* has no known price/,
  });
  assert.equal(mock.requests.length, 0);
  assert.equal((await ask(true)).cost, null);
});

Deno.test("an answer of unknown cost counts as what was set aside: a budget holds without usage, too", async () => {
  const body = JSON.parse(completion("hi"));
  delete body.usage;
  await using server = await startRawServer((socket) =>
    socket.write(httpAnswer(200, JSON.stringify(body)))
  );
  const costTracker = new CostTracker({ limit: 1 });
  await using client = new LLMClient({
    baseUrl: server.baseUrl,
    model: "m",
    prices: [{ model: "m", input: 0, output: 1000 }],
    costTracker,
  });
  const ask = () => client.chatCompletions(HELLO, { maxTokens: 250 });
  for (let i = 1; i <= 4; i++) {
    assert.equal((await ask()).cost, null);
    assert.equal(costTracker.spent, i / 4);
  }
  await assert.rejects(ask(), { code: "budget_exceeded" });
  assert.equal(server.requests.length, 4);
  assert.deepEqual([costTracker.report()[0].cost, costTracker.report()[0].unpriced], [null, 4]);
});

Deno.test("one tracker counts for a client, its streams and a pool", async () => {
  await using mock = watchedMock({ length: 40 });
  const costTracker = new CostTracker({ limit: 1e6 });
  const options = { baseUrl: mock.baseUrl, model: "m", prices: PRICES };
  await using client = new LLMClient({ ...options, costTracker });
  await using pool = new LLMClientPool({ endpoints: [options, options], costTracker });
  const costs = [
    (await client.chatCompletions(HELLO)).cost!,
    (await client.chatCompletionsStream(HELLO).finalResult()).cost!,
    (await pool.chatCompletions(HELLO)).cost!,
  ];
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  assert.ok(total > 0 && Math.abs(costTracker.spent - total) < 1e-9);
  assert.equal(costTracker.reserved, 0);
  assert.equal(costTracker.report()[0].requests, 3);
});

Deno.test("what a failed request had set aside is free again, also while it waits for its retry", async () => {
  await using mock = watchedMock({ errorRate: 1 });
  const costTracker = new CostTracker({ limit: 10 });
  await using client = new LLMClient({
    baseUrl: mock.baseUrl,
    model: "m",
    prices: PRICES,
    costTracker,
    retryDelay: 0.001,
  });
  const reserved: number[] = [];
  const onRetry = () => reserved.push(costTracker.reserved);
  await assert.rejects(client.chatCompletions(HELLO, { onRetry }), { code: "http" });
  assert.deepEqual(reserved, [0, 0, 0]);
  assert.equal(costTracker.reserved, 0);
});
