/** Batch runs over provider jobs, with a real result file. */
import assert from "node:assert/strict";
import type { IndexedRecord } from "../../../lib/batch/executor.ts";
import { Journal } from "../../../lib/batch/journal/journal.ts";
import { BatchRun } from "../../../lib/batch/run.ts";
import type { BatchSummary } from "../../../lib/batch/summary.ts";
import { JobWorld, records, type RunOptions } from "../../support/job_world.ts";
import { jsonLines, temporaryFolder } from "../../support/temporary_folder.ts";
import { readFileSync } from "node:fs";

/** Runs a batch once, as the command and the library do. */
async function runBatch(
  world: JobWorld,
  input: IndexedRecord[],
  options: RunOptions & { yieldRestored?: boolean; rerunChanged?: boolean } = {},
): Promise<BatchSummary & { yielded: number[] }> {
  const journal = await Journal.open(world.output);
  try {
    using store = await world.openStore();
    const executor = world.executor(store, {
      isDone: (index) => journal.state(index) === "success",
      ...options,
    });
    const { yieldRestored, rerunChanged } = options;
    const run = new BatchRun(executor, { journal, yieldRestored, rerunChanged });
    const yielded: number[] = [];
    const consumed = (async () => {
      for await (const group of run.items(input)) yielded.push(...group.map(({ index }) => index));
    })();
    await world.clock.run(consumed);
    journal.compact();
    return { ...run.summary(), yielded };
  } finally {
    journal.close();
  }
}

function world(path: string): JobWorld {
  return new JobWorld(path, { foundBy: "label" });
}

for (const yieldRestored of [false, true]) {
  Deno.test(`results of earlier jobs count as new (yieldRestored: ${yieldRestored})`, async () => {
    using folder = temporaryFolder();
    const jobs = world(folder.file("out.jsonl"));
    const first = await runBatch(jobs, records(50), { wait: false, yieldRestored });
    assert.deepEqual([first.succeeded, first.restored], [0, 0]);
    const second = await runBatch(jobs, records(80), { yieldRestored });
    assert.deepEqual([second.succeeded, second.restored, second.failed], [80, 0, 0]);
    const third = await runBatch(jobs, records(80), { yieldRestored });
    assert.deepEqual([third.succeeded, third.restored], [0, 80]);
    for (const { yielded } of [second, ...(yieldRestored ? [third] : [])]) {
      assert.deepEqual(yielded.toSorted((a, b) => a - b), records(80).map(({ index }) => index));
    }
    const lines = jsonLines(readFileSync(jobs.output, "utf8"));
    assert.deepEqual(lines.map(({ index }) => index), records(80).map(({ index }) => index));
    assert.ok(lines.every(({ output, index }) => output === `answer ${index}`));
    assert.equal(lines[0].at, "2026-11-27T00:00:00.000Z");
    assert.equal(lines[0].endpoint, "https://api.example/v1");
  });
}

Deno.test("a job in which everything fails does not stop the batch", async () => {
  using folder = temporaryFolder();
  const jobs = world(folder.file("out.jsonl"));
  jobs.provider.fate = (_index, _times, { id }) => id === "job_1" ? { error: 404 } : "answer";
  const summary = await runBatch(jobs, records(250));
  assert.deepEqual([summary.succeeded, summary.failed], [150, 100]);
  // Failed records are sent again by the next run.
  const again = await runBatch(jobs, records(250));
  assert.deepEqual([again.succeeded, again.restored], [100, 150]);
});

Deno.test("a changed record is collected as submitted, and sent by the next run", async () => {
  using folder = temporaryFolder();
  const jobs = world(folder.file("out.jsonl"));
  await runBatch(jobs, records(5), { wait: false });
  const changed = records(5);
  changed[2] = { index: 2, messages: [{ role: "user", content: "Changed" }] };
  await assert.rejects(runBatch(jobs, changed), { code: "journal_mismatch", index: 2 });
  await runBatch(jobs, changed, { rerunChanged: true });
  await runBatch(jobs, changed, { rerunChanged: true });
  const lines = jsonLines(readFileSync(jobs.output, "utf8"));
  assert.equal(lines.length, 5);
  assert.equal(lines[2].input[0].content, "Changed");
  assert.equal(jobs.provider.jobs.size, 2);
});
