/** The executor of live requests, with completions from the test. */
import assert from "node:assert/strict";
import type { Completions } from "../../lib/batch/completions.ts";
import type { IndexedRecord, Outcome } from "../../lib/batch/executor.ts";
import { LiveExecutor } from "../../lib/batch/executors/live.ts";
import type { CallFacts } from "../../lib/chat/call_facts.ts";
import type { ChatOptions } from "../../lib/chat/options.ts";
import { HttpError } from "../../lib/errors.ts";
import type { CallHooks } from "../../lib/scheduling/call_hooks.ts";
import { chatResult } from "../support/chat_result.ts";

type Complete = (prompt: string, options: ChatOptions, hooks: CallHooks) => Promise<void> | void;

/** Completions that answer after `complete` has run. */
function completions(complete: Complete = () => {}, concurrencyLimit = 5): Completions {
  return {
    concurrencyLimit,
    stats: [{ failures: 0 }],
    async complete(messages, options, hooks) {
      await complete(String(messages[0].content), options, hooks!);
      return chatResult(`To: ${messages[0].content}`);
    },
  };
}

function records(count: number): IndexedRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    messages: [{ role: "user", content: `Question ${index}` }],
  }));
}

async function outcomesOf(
  executor: LiveExecutor,
  input: Iterable<IndexedRecord>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for await (const group of executor.run(input)) outcomes.push(...group);
  return outcomes.toSorted((a, b) => a.record.index - b.record.index);
}

function factsOf(model: string): CallFacts {
  return {
    at: 0,
    model,
    queued: 0,
    attempts: 1,
    duration: 1,
    usage: null,
    cost: null,
    cached: false,
    outcome: "success",
  };
}

Deno.test("every record has an outcome, and a failure concerns only its record", async () => {
  const error = new HttpError("too long", { status: 400 });
  const executor = new LiveExecutor(completions((prompt) => {
    if (prompt === "Question 1") throw error;
    if (prompt === "Question 2") throw new TypeError("x is undefined");
  }));
  const outcomes = await outcomesOf(executor, records(4));
  assert.deepEqual(outcomes.map(({ ok }) => ok), [true, false, false, true]);
  assert.ok(!outcomes[1].ok && outcomes[1].error === error);
  assert.ok(!outcomes[2].ok);
  assert.match(String(outcomes[2].error), /x is undefined \(this is a bug in flexllm\)/);
});

Deno.test("a request has the options of the batch and of its record, and nothing else", async () => {
  const seen: ChatOptions[] = [];
  const executor = new LiveExecutor(completions((_, options) => void seen.push(options)), {
    request: { temperature: 0.5, model: "m", timeout: 9 },
    concurrency: 1,
    pending: 2,
    isJournaled: true,
    onRetry: () => {},
  });
  const [first, second] = records(2);
  await outcomesOf(executor, [first, { ...second, options: { temperature: 1, seed: 2 } }]);
  const { signal, ...options } = seen[0];
  assert.ok(signal instanceof AbortSignal);
  assert.deepEqual(options, { temperature: 0.5, model: "m", timeout: 9 });
  assert.deepEqual(seen[1], { temperature: 1, model: "m", timeout: 9, seed: 2, signal });
});

Deno.test("facts are collected for a journal only", async () => {
  const complete: Complete = (prompt, _, hooks) => hooks.onEnd?.(factsOf(prompt));
  for (const isJournaled of [true, false]) {
    const executor = new LiveExecutor(completions(complete), { isJournaled });
    const models = (await outcomesOf(executor, records(2))).map(({ facts }) => facts?.model);
    assert.deepEqual(models, isJournaled ? ["Question 0", "Question 1"] : [undefined, undefined]);
  }
});

Deno.test("concurrency is capped by the client", async () => {
  for (const [requested, expected] of [[undefined, 5], [3, 3], [50, 5]] as const) {
    let [active, most] = [0, 0];
    const executor = new LiveExecutor(
      completions(async () => {
        most = Math.max(most, ++active);
        await new Promise((resolve) => setTimeout(resolve, 0));
        active--;
      }),
      { concurrency: requested },
    );
    assert.equal(executor.concurrency, expected);
    await outcomesOf(executor, records(20));
    assert.equal(most, expected);
  }
});

Deno.test("a record in backoff frees its slot once there was an answer", async () => {
  const started: string[] = [];
  let release = () => {};
  const executor = new LiveExecutor(
    completions(async (prompt, _, hooks) => {
      started.push(prompt);
      if (prompt !== "Question 1") return;
      hooks.onRetryWait!({ error: new Error("busy"), failures: 1, wait: 1 });
      await new Promise<void>((resolve) => release = resolve);
      hooks.onRetryResume!();
    }, 1),
  );
  const outcomes: number[] = [];
  for await (const group of executor.run(records(4))) {
    outcomes.push(...group.map(({ record }) => record.index));
    if (outcomes.includes(3)) release();
  }
  assert.deepEqual(started, ["Question 0", "Question 1", "Question 2", "Question 3"]);
  assert.deepEqual(outcomes, [0, 2, 3, 1]);
  assert.equal(executor.retries, 1);
});

Deno.test("before the first answer, a record in backoff holds its slot", async () => {
  const started: string[] = [];
  const executor = new LiveExecutor(
    completions(async (prompt, _, hooks) => {
      started.push(prompt);
      if (prompt !== "Question 0") return;
      hooks.onRetryWait!({ error: new Error("down"), failures: 1, wait: 1 });
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.deepEqual(started, ["Question 0"]);
      hooks.onRetryResume!();
    }, 1),
  );
  assert.equal((await outcomesOf(executor, records(3))).length, 3);
});

Deno.test("the hooks know how many records are left", async () => {
  const left: (number | undefined)[] = [];
  const complete: Complete = (_prompt, _options, hooks) => void left.push(hooks.remaining?.());
  await outcomesOf(new LiveExecutor(completions(complete, 1), { pending: 3 }), records(3));
  assert.deepEqual(left, [2, 1, 0]);
});

Deno.test("stop() ends waiting and starts nothing more; abort() also aborts requests", async () => {
  for (const method of ["stop", "abort"] as const) {
    const signals: [wait: boolean, request: boolean][] = [];
    const executor = new LiveExecutor(
      completions((prompt, { signal }, { waitSignal }) => {
        if (prompt === "Question 2") executor[method]();
        signals.push([waitSignal!.aborted, signal!.aborted]);
      }, 1),
    );
    assert.equal((await outcomesOf(executor, records(10))).length, 3);
    assert.deepEqual(signals.at(-1), [true, method === "abort"]);
    assert.deepEqual(signals[0], [false, false]);
  }
});

Deno.test("metadata that is not JSON fails its record, if there is a journal", async () => {
  const metadata: Record<string, unknown> = { count: 1n };
  metadata.toJSON = () => {
    throw new Error("no JSON");
  };
  const [record] = records(1);
  for (const isJournaled of [true, false]) {
    const executor = new LiveExecutor(completions(), { isJournaled });
    const [{ ok }] = await outcomesOf(executor, [{ ...record, metadata }]);
    assert.equal(ok, !isJournaled);
  }
});
