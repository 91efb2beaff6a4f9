/** Batches through the library. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type BatchItem, CostTracker, createMockApp, LLMClient, type Message } from "../../mod.ts";
import { collectBatch } from "../../lib/batch/batch.ts";
import type { Completions } from "../../lib/batch/completions.ts";
import {
  recordedResult,
  type ResultRecord,
  successRecord,
} from "../../lib/batch/journal/result_line.ts";
import { chatResult } from "../support/chat_result.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";

function questions(count: number): Message[][] {
  return Array.from({ length: count }, (_, i) => [{ role: "user", content: `Question ${i}` }]);
}

/** A client of a mock that records the prompt of each request. */
function countingClient(concurrencyLimit = 5) {
  const app = createMockApp({ length: 40 });
  const requested: string[] = [];
  const client = new LLMClient({
    provider: "mock",
    model: "mock",
    concurrencyLimit,
    fetch: async (url, init) => {
      requested.push(JSON.parse(String(init.body)).messages.at(-1).content);
      return await app.fetch(new Request(url, init));
    },
  });
  return { client, requested };
}

function failingClient(status: number, failFrom = 0) {
  let requests = 0;
  const app = createMockApp();
  return new LLMClient({
    provider: "mock",
    model: "mock",
    retryTimes: 0,
    concurrencyLimit: 2,
    fetch: async (url, init) => {
      if (requests++ < failFrom) return await app.fetch(new Request(url, init));
      return new Response('{"error":{"message":"no"}}', { status });
    },
  });
}

Deno.test("chatCompletionsBatch() returns one item per input, in input order", async () => {
  const { client } = countingClient();
  const inputs = questions(30);
  const { results, summary } = await client.chatCompletionsBatch(inputs);
  assert.equal(results.length, 30);
  for (const [i, item] of results.entries()) {
    assert.equal(item.index, i);
    assert.deepEqual(item.messages, inputs[i]);
    assert.ok(item.status === "success" && item.result.content.includes(`Question ${i}`));
  }
  const { succeeded, failed, restored, completionTokens } = summary;
  assert.deepEqual([succeeded, failed, restored, completionTokens], [30, 0, 0, 300]);
});

Deno.test("iterChatCompletionsBatch() reads an endless input only as fast as results are consumed", async () => {
  const { client, requested } = countingClient(4);
  let read = 0;
  async function* endless() {
    while (true) {
      await Promise.resolve();
      yield { messages: questions(1)[0], metadata: { number: read++ } };
    }
  }
  const items: BatchItem[] = [];
  for await (const item of client.iterChatCompletionsBatch(endless())) {
    items.push(item);
    if (items.length === 10) break;
  }
  assert.ok(read <= 20, `${read} inputs read for 10 results`);
  assert.ok(requested.length <= 20);
  assert.deepEqual(new Set(items.map(({ metadata }) => metadata?.number)).size, 10);
});

Deno.test("a batch with a result file resumes and also returns the earlier results", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const inputs = questions(20);
  const first = countingClient();
  let taken = 0;
  for await (const _ of first.client.iterChatCompletionsBatch(inputs, { output })) {
    if (++taken === 7) break;
  }
  const kept = jsonLines(folder.read("out.jsonl")).length;
  assert.ok(kept >= 7 && kept < 20, `${kept} results kept`);

  const second = countingClient();
  const { results, summary } = await second.client.chatCompletionsBatch(inputs, { output });
  assert.equal(second.requested.length, 20 - kept);
  assert.deepEqual([summary.restored, summary.succeeded], [kept, 20 - kept]);
  assert.ok(
    results.every((item, i) =>
      item.status === "success" && item.result.content.includes(`Question ${i}`)
    ),
  );
  assert.deepEqual(jsonLines(folder.read("out.jsonl")).map(({ index }) => index), [
    ...inputs.keys(),
  ]);

  const third = countingClient();
  const again = await third.client.chatCompletionsBatch(inputs, { output });
  assert.deepEqual([third.requested.length, again.summary.restored], [0, 20]);
});

Deno.test("a batch with a changed input stops before sending anything", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  await countingClient().client.chatCompletionsBatch(questions(10), { output });
  const changed = questions(12);
  changed[6] = [{ role: "user", content: "Something else" }];
  const { client, requested } = countingClient();
  await assert.rejects(client.chatCompletionsBatch(changed, { output }), {
    code: "journal_mismatch",
    index: 6,
  });
  assert.equal(requested.length, 0);
  const { summary } = await client.chatCompletionsBatch(changed, { output, rerunChanged: true });
  assert.deepEqual(requested.toSorted(), ["Question 10", "Question 11", "Something else"]);
  assert.equal(summary.restored, 9);
});

Deno.test("a failed record does not stop the others and is sent again by the next run", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const { results, summary } = await failingClient(400, 3).chatCompletionsBatch(questions(6), {
    output,
  });
  assert.equal(results.filter(({ status }) => status === "error").length, 3);
  assert.deepEqual([summary.succeeded, summary.failed], [3, 3]);
  assert.deepEqual(summary.errors, { http: 3 });
  const failed = jsonLines(folder.read("out.jsonl")).filter(({ status }) => status === "error");
  assert.deepEqual([failed.length, failed[0].output, failed[0].error_code], [3, null, "http"]);
  const { client, requested } = countingClient();
  await client.chatCompletionsBatch(questions(6), { output });
  assert.equal(requested.length, 3);
  assert.ok(jsonLines(folder.read("out.jsonl")).every(({ status }) => status === "success"));
});

Deno.test("a refused key stops the batch without failing any record", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const work = failingClient(401).chatCompletionsBatch(questions(1000), { output });
  await assert.rejects(work, { code: "authentication" });
  assert.throws(() => folder.read("out.jsonl"), { code: "ENOENT" });
});

Deno.test("a key that is refused mid-batch stops the batch", async () => {
  let failures = 0;
  const run = failingClient(401, 5).iterChatCompletionsBatch(questions(1000));
  await assert.rejects(async () => {
    for await (const item of run) if (item.status === "error") failures++;
  }, { code: "authentication" });
  assert.ok(failures < 10, `${failures} records failed`);
});

Deno.test("an AbortSignal ends a batch and keeps finished results", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const controller = new AbortController();
  const { client } = countingClient();
  const run = client.iterChatCompletionsBatch(questions(100), {
    output,
    signal: controller.signal,
  });
  let taken = 0;
  await assert.rejects(async () => {
    for await (const _ of run) if (++taken === 5) controller.abort();
  }, { code: "aborted" });
  const kept = jsonLines(folder.read("out.jsonl"));
  assert.ok(kept.length >= 5 && kept.length < 100);
  assert.ok(kept.every(({ status }) => status === "success"));
});

Deno.test("a result file that cannot be written stops the batch", async () => {
  const { client } = countingClient();
  await assert.rejects(
    client.chatCompletionsBatch(questions(2), { output: "/no/such/folder/out.jsonl" }),
    { code: "journal" },
  );
});

Deno.test("a bug triggered by one record fails only that record", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  let isBroken = true;
  const completions: Completions = {
    concurrencyLimit: 2,
    stats: [],
    complete(messages) {
      const { content } = messages[0];
      if (isBroken && content === "Question 3") throw new TypeError("x is undefined");
      return Promise.resolve(chatResult(`To: ${content}`));
    },
  };
  const { results, summary } = await collectBatch({ completions }, questions(40), { output });
  assert.deepEqual([summary.succeeded, summary.failed, summary.errors], [39, 1, { internal: 1 }]);
  const [failed] = results.filter((item) => item.status === "error");
  assert.equal(failed.index, 3);
  assert.equal(failed.error.message, "unexpected: x is undefined (this is a bug in flexllm)");
  assert.ok(failed.error.cause instanceof TypeError);
  const line = jsonLines(readFileSync(output, "utf8"))[3];
  assert.deepEqual([line.status, line.error_code], ["error", "internal"]);
  // The next run sends it again.
  isBroken = false;
  const again = await collectBatch({ completions }, questions(40), { output });
  assert.deepEqual([again.summary.succeeded, again.summary.restored], [1, 39]);
});

/** A client of a mock whose answers cost $0.001 each, with a budget in USD. */
function budgetClient(limit: number, concurrencyLimit = 2) {
  const app = createMockApp({ length: 40 });
  return new LLMClient({
    provider: "mock",
    model: "m",
    prices: [{ model: "m", input: 0, output: 0, request: 0.001 }],
    costTracker: new CostTracker({ limit }),
    concurrencyLimit,
    fetch: async (url, init) => await app.fetch(new Request(url, init)),
  });
}

Deno.test("a batch stopped by its budget resolves with the paid results", async () => {
  const options = { maxTokens: 20 };
  const { results, summary, stoppedBy } = await budgetClient(0.0055)
    .chatCompletionsBatch(questions(100), options);
  assert.equal(stoppedBy?.code, "budget_exceeded");
  assert.deepEqual(results.map(({ index, status }) => [index, status]), [
    ...[0, 1, 2, 3, 4].map((index) => [index, "success"]),
  ]);
  assert.equal(summary.succeeded, 5);
  assert.equal(summary.cost.toFixed(4), "0.0050");
  const none = await budgetClient(0.0005).chatCompletionsBatch(questions(3), options);
  assert.deepEqual([none.results, none.stoppedBy?.code], [[], "budget_exceeded"]);
  const whole = await budgetClient(1).chatCompletionsBatch(questions(3), options);
  assert.deepEqual([whole.results.length, whole.stoppedBy], [3, undefined]);
});

Deno.test("a batch that is cancelled or fails midway resolves with its results", async () => {
  const controller = new AbortController();
  const app = createMockApp();
  let requests = 0;
  const client = new LLMClient({
    provider: "mock",
    model: "mock",
    concurrencyLimit: 1,
    fetch: async (url, init) => {
      if (requests++ === 4) controller.abort();
      init.signal?.throwIfAborted();
      return await app.fetch(new Request(url, init));
    },
  });
  const inputs = questions(10);
  const cancelled = await client.chatCompletionsBatch(inputs, { signal: controller.signal });
  assert.equal(cancelled.stoppedBy?.code, "aborted");
  assert.deepEqual(cancelled.results.map(({ index }) => index), [0, 1, 2, 3]);
  assert.equal(cancelled.summary.succeeded, 4);

  const refused = await failingClient(401, 5).chatCompletionsBatch(questions(100));
  assert.equal(refused.stoppedBy?.code, "authentication");
  assert.equal(refused.results.filter(({ status }) => status === "success").length, 5);

  function* broken() {
    yield* questions(3);
    throw new Error("the database is gone");
  }
  const { results, stoppedBy } = await countingClient().client.chatCompletionsBatch(broken());
  assert.equal(results.length, 3);
  assert.match(stoppedBy!.message, /reading the inputs .*: the database is gone/);
});

Deno.test("the iterator of a batch has the counts at any time and returns them at the end", async () => {
  const { client } = countingClient();
  const run = client.iterChatCompletionsBatch(questions(5));
  assert.equal(run.summary.succeeded, 0);
  let step = await run.next();
  while (!step.done) step = await run.next();
  assert.equal(step.value.succeeded, 5);
  assert.equal(run.summary.succeeded, 5);

  const stopped = budgetClient(0.0035).iterChatCompletionsBatch(questions(9), { maxTokens: 20 });
  await assert.rejects(async () => {
    for await (const _ of stopped);
  }, { code: "budget_exceeded" });
  assert.equal(stopped.summary.succeeded, 3);
});

Deno.test("a record that cannot be written as JSON fails alone and is not sent", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const nested = (levels: number) => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`);
  const [messages] = questions(1);
  const inputs = [
    { messages, metadata: circular },
    { messages, metadata: { deep: nested(50_000) } },
    { messages: [{ ...messages[0], x: nested(50_000) }] as unknown as Message[] },
    { messages: [{ ...messages[0], x: 1n }] as unknown as Message[] },
    { messages, options: { extraBody: circular } },
    { messages, metadata: { id: 1669700650467246081n } },
  ];
  for (let run = 0; run < 2; run++) {
    const { client, requested } = countingClient();
    const { results } = await client.chatCompletionsBatch(inputs, { output });
    assert.deepEqual(
      results.map((item) => item.status === "error" ? item.error.code : item.status),
      [...Array(5).fill("invalid_input"), "success"],
    );
    assert.equal(requested.length, run === 0 ? 1 : 0);
    assert.ok(results[1].status === "error");
    assert.match(results[1].error.message, /record 1: metadata: nested more than 500 levels deep/);
    const last = folder.read("out.jsonl").trimEnd().split("\n").at(-1)!;
    assert.ok(last.includes('"metadata":{"id":1669700650467246081}'), last);
  }
});

Deno.test("a restored result has the same token counts as the live one", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 50,
    total_tokens: 150,
    prompt_tokens_details: { cached_tokens: 30, cache_write_tokens: 20 },
    completion_tokens_details: { reasoning_tokens: 10 },
  };
  const message = { role: "assistant", content: "Hi" };
  const client = new LLMClient({
    baseUrl: "http://localhost/v1",
    model: "m",
    fetch: () =>
      Promise.resolve(Response.json({ choices: [{ message, finish_reason: "stop" }], usage })),
  });
  const read = async () => {
    const { results: [item] } = await client.chatCompletionsBatch(questions(1), { output });
    assert.ok(item.status === "success");
    return item;
  };
  const [live, restored] = [await read(), await read()];
  assert.deepEqual([live.restored, restored.restored], [false, true]);
  assert.deepEqual(restored.result.usage, live.result.usage);
  assert.ok(Object.keys(live.result.usage!).length >= 5);

  const all = {
    ...{ promptTokens: 9, completionTokens: 8, totalTokens: 17, cachedTokens: 1 },
    ...{ cacheWriteTokens: 5, cacheWriteHourTokens: 3, reasoningTokens: 2 },
  };
  const record = successRecord({ index: 0, messages: questions(1)[0] }, {
    ...live.result,
    usage: all,
  });
  assert.deepEqual(recordedResult(JSON.parse(JSON.stringify(record))).usage, all);
  // The Python tool writes null for unknown values.
  const python = { ...record, usage: null, cost: null, tool_calls: null };
  assert.equal(recordedResult(python as unknown as ResultRecord).usage, null);
});
