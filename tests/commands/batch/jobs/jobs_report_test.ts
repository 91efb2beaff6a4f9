/** What is said about provider jobs at the end of a run. */
import assert from "node:assert/strict";
import {
  exportHints,
  importHint,
  type JobsReport,
  jobsReport,
  jobsSentences,
  statusHint,
} from "../../../../commands/batch/jobs/jobs_report.ts";
import { batchReport } from "../../../../commands/batch/report.ts";
import type { PartState } from "../../../../lib/batch/jobs/part_events.ts";
import type { PartStore } from "../../../../lib/batch/jobs/part_store.ts";
import { emptySummary } from "../../../../lib/batch/summary.ts";

const NOTHING: JobsReport = {
  unfinished: { submitted: false, cancelled: false, left: false },
  deadlineReached: false,
  parts: [],
  submitted: { parts: [], rows: 0 },
  exported: { parts: [], rows: 0 },
  left: 0,
  files: [],
};
const PART = { job: { id: "j", status: "running", expiresAt: 3_600_000 } } as PartState;
const SUBMITTED: JobsReport = {
  ...NOTHING,
  unfinished: { ...NOTHING.unfinished, submitted: true },
  submitted: { parts: [PART, PART], rows: 1500 },
};

Deno.test("what is at the provider, in files, or nowhere is said with numbers", () => {
  assert.deepEqual(jobsSentences(NOTHING, 0), []);
  assert.deepEqual(jobsSentences(SUBMITTED, 0), [
    "At the provider: 1,500 rows in 2 parts; the first expires in 1 h",
  ]);
  assert.deepEqual(jobsSentences(SUBMITTED, 4_000_000), [
    "At the provider: 1,500 rows in 2 parts; the first is past its expiry",
  ]);
  assert.deepEqual(jobsSentences({ ...NOTHING, exported: { parts: [PART], rows: 1 } }, 0), [
    "Exported: 1 row in 1 file",
  ]);
  const left = { ...NOTHING, left: 3 };
  assert.deepEqual(jobsSentences(left, 0), ["Without a result: 3 records (not submitted yet)"]);
  assert.match(jobsSentences({ ...left, deadlineReached: true }, 0)[0], /the deadline has passed/);
  const unfinished = { ...NOTHING.unfinished, cancelled: true };
  assert.match(jobsSentences({ ...left, unfinished }, 0)[0], /the jobs were cancelled/);
});

Deno.test("hints name the commands to go on with", () => {
  assert.equal(statusHint(NOTHING, "o.jsonl"), undefined);
  assert.equal(statusHint(SUBMITTED, "o.jsonl"), "To see the jobs: flexllm batch status o.jsonl");
  const file = { path: "jobs/a.jsonl", model: "m", rows: 2, status: "new" } as const;
  assert.deepEqual(exportHints({ files: [file] }, "flexllm batch in.jsonl -o o.jsonl"), [
    "Files:",
    "  jobs/a.jsonl: 2 rows",
    "To run it with vLLM: vllm run-batch -i jobs/a.jsonl -o jobs/a.results.jsonl --model m",
    "To import the results: flexllm batch in.jsonl -o o.jsonl --import jobs/a.results.jsonl",
  ]);
});

Deno.test("an import that leaves records says how to import the rest", () => {
  const exported = { ...NOTHING, exported: { parts: [PART], rows: 1 } };
  assert.equal(
    importHint(exported, "flexllm batch in.jsonl -o o.jsonl"),
    "To import the rest: flexllm batch in.jsonl -o o.jsonl --import FILE",
  );
  assert.equal(importHint(SUBMITTED, "flexllm batch"), undefined);
});

Deno.test("a part that was never sent is not at the provider", () => {
  const parts = (["planned", "uploaded", "creating", "submitted", "exported"] as const)
    .map((phase) => ({ ...PART, phase, part: phase, rows: 2 }) as PartState);
  const store = {
    parts,
    records: () => ({ indexes: [0, 1], [Symbol.dispose]() {} }),
  } as unknown as PartStore;
  const report = jobsReport({ summary: emptySummary() }, {
    store,
    journal: { state: () => "none" },
    prepared: [{ name: undefined }],
    total: 10,
  });
  assert.deepEqual(
    [report.submitted, report.exported].map(({ parts }) => parts.map(({ part }) => part)),
    [["creating", "submitted"], ["exported"]],
  );
  assert.equal(report.left, 4);
  assert.equal(report.unfinished.submitted, true);
});

Deno.test("the headline says how the run ended", () => {
  const head = (jobs: JobsReport, interrupted = false, succeeded = 0) =>
    batchReport(
      { ...emptySummary(), interrupted, succeeded },
      {
        model: "m",
        output: "o.jsonl",
        total: 9,
        piped: false,
        costs: [],
        endpoints: [],
        models: [],
        jobs,
      },
      undefined,
      { failures: [], retries: [] },
    )[0].split(":")[0];
  assert.equal(head(NOTHING), "Done");
  assert.equal(head(SUBMITTED), "Submitted");
  assert.equal(head(SUBMITTED, false, 1), "Unfinished");
  assert.equal(head(SUBMITTED, true), "Interrupted");
  const left = { ...NOTHING.unfinished, left: true };
  assert.equal(head({ ...NOTHING, unfinished: left }), "Incomplete");
  assert.equal(head({ ...NOTHING, unfinished: { ...left, cancelled: true } }), "Cancelled");
  const exported = { ...NOTHING, exported: { parts: [PART], rows: 1 } };
  assert.equal(head(exported), "Exported");
});
