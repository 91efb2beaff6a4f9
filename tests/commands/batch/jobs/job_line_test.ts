/** The line about provider jobs in the progress. */
import assert from "node:assert/strict";
import { jobParts, jobsKey } from "../../../../commands/batch/progress/job_line.ts";
import { fitLine } from "../../../../commands/batch/progress/line_parts.ts";
import {
  plainProgress,
  progressLines,
  type ProgressState,
} from "../../../../commands/batch/progress/progress_lines.ts";
import type { Job } from "../../../../lib/batch_api/batch_api.ts";
import type { JobView } from "../../../../lib/batch/jobs/job_view.ts";
import { emptySummary } from "../../../../lib/batch/summary.ts";

const NOW = Date.UTC(2026, 10, 27, 12);
const MINUTE = 60_000;

function view(state: string, more: Partial<JobView> = {}, job?: Partial<Job>): JobView {
  return {
    part: "a1b2c3d4e5",
    requestedModel: undefined,
    model: "m",
    endpoint: "https://api.example.com/v1",
    rows: 1000,
    state,
    job: job && { id: "batch_1", status: "running", ...job },
    submittedAt: NOW - 12 * MINUTE,
    problem: undefined,
    ...more,
  };
}

const DAY = { expiresAt: NOW + 23 * 60 * MINUTE };
const RUNNING = view("running", {}, { ...DAY, counts: { succeeded: 400, failed: 20 } });
const QUEUED = view("queued", { submittedAt: NOW - MINUTE }, DAY);
const COLLECTED = view("collected", { submittedAt: NOW - 90 * MINUTE });
const WAITING = view("waiting for quota", { submittedAt: undefined });

function line(views: JobView[], columns = Infinity): string {
  return fitLine(jobParts({ views, now: NOW }), columns, (_, text) => text);
}

const SHOWN: [what: string, views: JobView[], line: string][] = [
  ["none", [], ""],
  ["only finished ones", [COLLECTED], ""],
  [
    "one",
    [RUNNING],
    "1 part: running  420 of 1,000 rows done  submitted 12 min ago  expires in 23 h",
  ],
  [
    "several",
    [RUNNING, QUEUED, QUEUED, COLLECTED],
    "3 parts: 1 running, 2 queued  420 of 1,000 rows done  submitted 12 min ago  " +
    "expires in 23 h",
  ],
  ["one that waits", [WAITING], "1 part: waiting for quota"],
  [
    "one past its expiry, with a problem",
    [view("running", { problem: "poll failed:\nHTTP 502" }, { expiresAt: NOW - 1 })],
    "1 part: running  submitted 12 min ago  past its expiry  poll failed: HTTP 502",
  ],
];

for (const [what, views, expected] of SHOWN) {
  Deno.test(`the line about parts: ${what}`, () => assert.equal(line(views), expected));
}

Deno.test("a narrow terminal keeps the state, then the counts", () => {
  const views = [RUNNING, QUEUED, QUEUED];
  assert.equal(line(views, 20), "3 parts: 1 running");
  assert.equal(line(views, 40), "3 parts: 1 running  420/1000 rows");
  for (const columns of [20, 40, 60, 80, 100]) assert.ok(line(views, columns).length < columns);
});

const STATE: ProgressState = {
  total: 3000,
  pending: 3000,
  summary: { ...emptySummary(), succeeded: 1000, promptTokens: 100, completionTokens: 10 },
  rate: 5,
  tokenRate: 7,
  waiting: undefined,
  budget: undefined,
  jobs: { views: [RUNNING, QUEUED], now: NOW },
};

Deno.test("a terminal shows the parts on a line of their own, and no rates", () => {
  const lines = progressLines(STATE, 100, (_, text) => text);
  assert.deepEqual(lines, [
    "[======>             ]  33%  1000/3000  1000 ok",
    "100 tokens in, 10 out  $0.00 spent  ~$0.00 total",
    "2 parts: 1 running, 1 queued  420 of 1,000 rows done  submitted 12 min ago  " +
    "expires in 23 h",
  ]);
});

Deno.test("a log has everything in one line", () => {
  assert.match(plainProgress(STATE), /^33% {2}1000\/3000 .* 2 parts: 1 running, 1 queued {2}/);
});

Deno.test("time alone is no change", () => {
  const later = [{ ...RUNNING, submittedAt: NOW - 50 * MINUTE }];
  assert.equal(jobsKey([RUNNING]), jobsKey(later));
  assert.notEqual(jobsKey([RUNNING]), jobsKey([QUEUED]));
  const more = view("running", {}, { ...DAY, counts: { succeeded: 401, failed: 20 } });
  assert.notEqual(jobsKey([RUNNING]), jobsKey([more]));
});
