import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import fc from "fast-check";
import { type ChatResult, CostTracker, LLMClient, LLMClientPool, type Message } from "../../mod.ts";
import { completion, httpAnswer, startRawServer } from "../support/raw_server.ts";
import { watchedMock } from "../support/watched_mock.ts";

const HELLO: Message[] = [{ role: "user", content: "Hello!" }];

function result(cost: number | null, model = "m", endpoint = "http://h/v1"): ChatResult {
  const usage = { promptTokens: 10, completionTokens: 5, totalTokens: 15 };
  return { cost, model, endpoint, usage } as ChatResult;
}

/** Whether a promise is still pending after everything that can run now has run. */
async function isWaiting(promise: Promise<unknown>): Promise<boolean> {
  let isPending = true;
  promise.then(() => isPending = false, () => isPending = false);
  await new Promise((resolve) => setImmediate(resolve));
  return isPending;
}

Deno.test("CostTracker reserves what fits, queues what may fit later, and refuses the rest", async () => {
  const tracker = new CostTracker({ limit: 10 });
  const first = await tracker.reserve(6);
  const second = tracker.reserve(6);
  const third = tracker.reserve(3);
  assert.deepEqual(await Promise.all([isWaiting(second), isWaiting(third)]), [true, true]);
  assert.deepEqual([tracker.spent, tracker.reserved, tracker.remaining], [0, 6, 4]);
  first.commit(result(3));
  first.release();
  const reservation = await second;
  assert.deepEqual([tracker.spent, tracker.reserved], [3, 6]);
  reservation.commit(result(5));
  reservation.release();
  await assert.rejects(third, {
    code: "budget_exceeded",
    limit: 10,
    spent: 8,
    needed: 3,
    message: "the budget of $10 does not allow the next request: $8 spent, and it may cost $3",
  });
});

Deno.test("releasing a reservation twice, or aborting the wait for one, counts once", async () => {
  const tracker = new CostTracker({ limit: 10 });
  const reservation = await tracker.reserve(8);
  const cancelled = new AbortController();
  const waiting = tracker.reserve(8, cancelled.signal);
  const behind = tracker.reserve(1);
  cancelled.abort();
  await assert.rejects(waiting, { code: "aborted" });
  (await behind).release();
  reservation.release();
  reservation.release();
  assert.deepEqual([tracker.reserved, tracker.remaining], [0, 10]);
});

Deno.test("a reservation is released at the end of its block", async () => {
  const tracker = new CostTracker({ limit: 10 });
  {
    using reservation = await tracker.reserve(8);
    reservation.commit(result(null));
  }
  assert.deepEqual([tracker.reserved, tracker.spent], [0, 8]);
});

Deno.test("free requests are never refused and delay no others", async () => {
  const tracker = new CostTracker({ limit: 1 });
  tracker.record(result(1.5));
  assert.equal(tracker.remaining, 0);
  assert.equal((await tracker.reserve(0)).cost, 0);
  await assert.rejects(tracker.reserve(0.1), { code: "budget_exceeded" });
});

Deno.test("ten tenths fit into a budget of one despite binary fractions", async () => {
  for (const [limit, cost, times] of [[0.3, 0.1, 3], [1, 0.1, 10], [0.7, 0.1, 7]]) {
    const tracker = new CostTracker({ limit });
    for (let i = 0; i < times; i++) await tracker.reserve(cost);
    const more = tracker.reserve(cost);
    assert.ok(await isWaiting(more), `${times} of ${limit}`);
  }
});

Deno.test("an abort after the reservation was granted has no effect", async () => {
  const tracker = new CostTracker({ limit: 1 });
  const first = await tracker.reserve(1);
  const controller = new AbortController();
  const second = tracker.reserve(1, controller.signal);
  first.release();
  const reservation = await second;
  controller.abort();
  assert.equal(tracker.reserved, 1);
  reservation.release();
  assert.equal(tracker.reserved, 0);
});

Deno.test("an abort at the moment of the grant neither leaks nor loses the reservation", async () => {
  const tracker = new CostTracker({ limit: 1 });
  const first = await tracker.reserve(1);
  const controller = new AbortController();
  const second = tracker.reserve(1, controller.signal);
  first.release();
  controller.abort();
  await second.then((reservation) => reservation.release(), () => {});
  assert.equal(tracker.reserved, 0);
});

Deno.test("the limit holds and every waiting request settles, for any reservations and costs", async () => {
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
            const reservation = await tracker.reserve(reserved);
            granted.push(i);
            assert.ok(tracker.spent + tracker.reserved <= limit + 1e-9);
            for (let turn = 0; turn < turns; turn++) await Promise.resolve();
            reservation.commit(result(reserved * share / 100));
            reservation.release();
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

Deno.test("the warning is raised once; the report counts by model and endpoint", () => {
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

Deno.test("CostTracker rejects amounts that are negative or not finite", async () => {
  assert.throws(() => new CostTracker({ limit: -1 }), { code: "configuration" });
  assert.throws(() => new CostTracker({ warning: NaN }), { code: "configuration" });
  const tracker = new CostTracker({ limit: 1 });
  for (const cost of [-1, NaN, Infinity]) {
    await assert.rejects(tracker.reserve(cost), { code: "configuration", message: /^cost: / });
  }
});

Deno.test("a negative cost refunds nothing; earlier spending counts towards the warning", () => {
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

Deno.test("a batch stops before it exceeds its budget, and returns its results so far", async () => {
  await using mock = await watchedMock({ length: 200 });
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

Deno.test("a budget needs a known price, unless allowUnpriced is set", async () => {
  await using mock = await watchedMock();
  const send = async (allowUnpriced: boolean) => {
    const costTracker = new CostTracker({ limit: 1, allowUnpriced });
    await using client = new LLMClient({ baseUrl: mock.baseUrl, model: "m", costTracker });
    return await client.chatCompletions(HELLO);
  };
  await assert.rejects(send(false), {
    code: "configuration",
    message: /^m at .* has no known price/,
  });
  assert.equal(mock.requests.length, 0);
  assert.equal((await send(true)).cost, null);
});

Deno.test("an answer of unknown cost counts as its reserved amount, so a budget holds without usage", async () => {
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
  const send = () => client.chatCompletions(HELLO, { maxTokens: 250 });
  for (let i = 1; i <= 4; i++) {
    assert.equal((await send()).cost, null);
    assert.equal(costTracker.spent, i / 4);
  }
  await assert.rejects(send(), { code: "budget_exceeded" });
  assert.equal(server.requests.length, 4);
  assert.deepEqual([costTracker.report()[0].cost, costTracker.report()[0].unpriced], [null, 4]);
});

Deno.test("a client, its streams and a pool can share one tracker", async () => {
  await using mock = await watchedMock({ length: 40 });
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

Deno.test("a failed request releases its reservation while it waits for its retry", async () => {
  await using mock = await watchedMock({ errorRate: 1 });
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
