/** A batch run over an executor from the test: no client, no network. */
import assert from "node:assert/strict";
import type { Executor, IndexedRecord, Outcome } from "../../lib/batch/executor.ts";
import type { BatchItem } from "../../lib/batch/items.ts";
import { Journal } from "../../lib/batch/journal/journal.ts";
import { BatchRun } from "../../lib/batch/run.ts";
import { AbortedError, HttpError, QuotaExceededError } from "../../lib/errors.ts";
import { chatResult } from "../support/chat_result.ts";
import { jsonLines, type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

/** Executes records as a provider's job would: reads all of them, then yields their outcomes in groups. */
class JobExecutor implements Executor {
  readonly concurrency = 4;
  readonly retries = 3;
  readonly hasHealthyEndpoint = false;
  readonly received: number[] = [];
  readonly calls: string[] = [];
  #stopped = false;

  constructor(
    readonly groupSize: number,
    readonly execute: (record: IndexedRecord) => Outcome = succeed,
  ) {}

  async *run(
    records: Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>,
  ): AsyncGenerator<Outcome[], void, void> {
    let group: IndexedRecord[] = [];
    for await (const record of records) {
      if (this.#stopped) return;
      this.received.push(record.index);
      group.push(record);
      if (group.length < this.groupSize) continue;
      yield group.map(this.execute);
      group = [];
    }
    if (group.length > 0) yield group.map(this.execute);
  }

  stop(): void {
    this.calls.push("stop");
    this.#stopped = true;
  }

  abort(): void {
    this.calls.push("abort");
    this.stop();
  }
}

function succeed(record: IndexedRecord): Outcome {
  return { record, ok: true, result: chatResult(`Answer ${record.index}`) };
}

function* records(count: number): Generator<IndexedRecord> {
  for (let index = 0; index < count; index++) {
    yield { index, messages: [{ role: "user", content: `Question ${index}` }] };
  }
}

/** A result file with the results of the first `count` records, open for a run. */
async function journalWith(folder: TemporaryFolder, count: number): Promise<Journal> {
  const path = folder.file("out.jsonl");
  const journal = await Journal.open(path);
  await collect(new BatchRun(new JobExecutor(50), { journal }), count);
  journal.close();
  return await Journal.open(path);
}

async function collect(run: BatchRun, count: number): Promise<BatchItem[]> {
  const items: BatchItem[] = [];
  for await (const group of run.items(records(count))) items.push(...group);
  return items;
}

Deno.test("a run yields the outcomes of any executor and counts them", async () => {
  const run = new BatchRun(
    new JobExecutor(
      3,
      (record) =>
        record.index === 4
          ? { record, ok: false, error: new HttpError("too long", { status: 400 }) }
          : succeed(record),
    ),
  );
  const items = await collect(run, 7);
  assert.deepEqual(items.map(({ index, status }) => [index, status]), [
    ...[0, 1, 2, 3].map((index) => [index, "success"]),
    [4, "error"],
    [5, "success"],
    [6, "success"],
  ]);
  const { succeeded, failed, retries, errors, interrupted } = run.summary();
  assert.deepEqual([succeeded, failed, retries, errors, interrupted], [
    6,
    1,
    3,
    { http: 1 },
    false,
  ]);
});

Deno.test("an outcome is in the journal before it is counted and yielded", async () => {
  using folder = temporaryFolder();
  const journal = await Journal.open(folder.file("out.jsonl"));
  try {
    const run = new BatchRun(new JobExecutor(2), { journal });
    let yielded = 0;
    for await (const group of run.items(records(5))) {
      yielded += group.length;
      assert.equal(jsonLines(folder.read("out.jsonl")).length, yielded);
      assert.equal(run.summary().succeeded, yielded);
    }
    assert.equal(yielded, 5);
  } finally {
    journal.close();
  }
});

Deno.test("records that the journal has do not reach the executor", async () => {
  using folder = temporaryFolder();
  const journal = await journalWith(folder, 3);
  try {
    const executor = new JobExecutor(1);
    const run = new BatchRun(executor, { journal });
    const items = await collect(run, 5);
    assert.deepEqual(executor.received, [3, 4]);
    assert.deepEqual(items.map(({ index }) => index), [3, 4]);
    const { restored, succeeded } = run.summary();
    assert.deepEqual([restored, succeeded], [3, 2]);
  } finally {
    journal.close();
  }
});

Deno.test("restored results are yielded with their content, without reading the input ahead", async () => {
  using folder = temporaryFolder();
  const journal = await journalWith(folder, 1000);
  try {
    let read = 0;
    const counting = function* () {
      for (const record of records(1003)) {
        read++;
        yield record;
      }
    };
    const executor = new JobExecutor(1);
    const run = new BatchRun(executor, { journal, yieldRestored: true });
    const seen: number[] = [];
    for await (const group of run.items(counting())) {
      for (const item of group) {
        assert.ok(item.status === "success");
        assert.equal(item.result.content, `Answer ${item.index}`);
        assert.equal(item.restored, item.index < 1000);
        seen.push(item.index);
      }
      assert.ok(read <= seen.length + 150, `${read} read for ${seen.length} items`);
    }
    assert.deepEqual(seen.toSorted((a, b) => a - b), Array.from({ length: 1003 }, (_, i) => i));
    assert.deepEqual(executor.received, [1000, 1001, 1002]);
    assert.deepEqual([run.summary().restored, run.summary().succeeded], [1000, 3]);
  } finally {
    journal.close();
  }
});

Deno.test("leaving the loop over restored results ends the run and closes the input", async () => {
  using folder = temporaryFolder();
  const journal = await journalWith(folder, 500);
  try {
    let isClosed = false;
    const input = (function* () {
      try {
        yield* records(500);
      } finally {
        isClosed = true;
      }
    })();
    const executor = new JobExecutor(1);
    const run = new BatchRun(executor, { journal, yieldRestored: true });
    for await (const _ of run.items(input)) break;
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.deepEqual(executor.calls, ["abort", "stop"]);
    assert.equal(isClosed, true);
  } finally {
    journal.close();
  }
});

Deno.test("restored results are yielded before the error of the input", async () => {
  using folder = temporaryFolder();
  const journal = await journalWith(folder, 3);
  try {
    const broken = function* () {
      yield* records(3);
      throw new Error("the file broke");
    };
    const run = new BatchRun(new JobExecutor(1), { journal, yieldRestored: true });
    let restored = 0;
    await assert.rejects(async () => {
      for await (const group of run.items(broken())) restored += group.length;
    }, /the file broke/);
    assert.equal(restored, 3);
  } finally {
    journal.close();
  }
});

Deno.test("a failure that stops the batch is thrown after the rest of its group is recorded", async () => {
  using folder = temporaryFolder();
  const journal = await Journal.open(folder.file("out.jsonl"));
  try {
    const quota = new QuotaExceededError("no credit", { status: 402 });
    const executor = new JobExecutor(
      4,
      (record) => record.index === 1 ? { record, ok: false, error: quota } : succeed(record),
    );
    const run = new BatchRun(executor, { journal });
    const items: BatchItem[] = [];
    await assert.rejects(async () => {
      for await (const group of run.items(records(100))) items.push(...group);
    }, quota);
    assert.deepEqual(items.map(({ index }) => index), [0, 2, 3]);
    assert.deepEqual(jsonLines(folder.read("out.jsonl")).map(({ index }) => index), [0, 2, 3]);
    assert.deepEqual([executor.received.length, executor.calls], [4, ["stop"]]);
    assert.equal(run.summary().interrupted, false);
  } finally {
    journal.close();
  }
});

Deno.test("an aborted signal aborts the executor and ends the run", async () => {
  const controller = new AbortController();
  const executor = new JobExecutor(1, (record) => {
    if (record.index === 2) controller.abort();
    return controller.signal.aborted
      ? { record, ok: false, error: new AbortedError() }
      : succeed(record);
  });
  const run = new BatchRun(executor, { signal: controller.signal });
  await assert.rejects(collect(run, 100), { code: "aborted", message: "the batch was cancelled" });
  assert.deepEqual([run.summary().succeeded, run.summary().failed], [2, 0]);
  assert.deepEqual(executor.calls, ["abort", "stop"]);
  assert.equal(run.summary().interrupted, true);
});

Deno.test("recordUsage and recordCost keep counts and costs out of the journal", async () => {
  using folder = temporaryFolder();
  const journal = await Journal.open(folder.file("out.jsonl"));
  try {
    const options = { journal, recordUsage: false, recordCost: false };
    const [item] = await collect(new BatchRun(new JobExecutor(1), options), 1);
    assert.ok(item.status === "success" && item.result.usage !== null);
    const [line] = jsonLines(folder.read("out.jsonl"));
    assert.deepEqual([line.usage, line.cost], [undefined, undefined]);
  } finally {
    journal.close();
  }
});
