import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { BatchEvents, type RunEnding } from "../../../lib/batch/events/batch_events.ts";
import { readEvents } from "../../../lib/batch/events/read_events.ts";
import type { SampledEndpoint } from "../../../lib/batch/events/sampler.ts";
import { emptySummary } from "../../../lib/batch/summary.ts";
import { RateLimitError, TimeoutError } from "../../../lib/errors.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary_folder.ts";
import { runLine } from "./event_samples.ts";

/** A full second. */
const START = 1_700_000_000_000;
const ENDING: RunEnding = {
  outcome: "done",
  succeeded: 1,
  failed: 0,
  duration: 1,
  hasResults: true,
  isOverBudget: false,
};

/** A batch and a clock that the test controls. */
function recording(folder: TemporaryFolder) {
  let now = START;
  let timer: { at: number; run: () => void } | undefined;
  const problems: string[] = [];
  const summary = emptySummary();
  const load = { inFlight: 0, waiting: 0 };
  const endpoint: SampledEndpoint = { name: "https://a.example", state: "up", rateLimited: 0 };
  const output = folder.file("out.jsonl");
  const host = {
    now: () => now,
    after(ms: number, run: () => void) {
      const own = timer = { at: now + ms, run };
      return () => void (timer = timer === own ? undefined : timer);
    },
  };
  const { type: _, at: __, ...run } = runLine();
  const events = new BatchEvents(output, run, false, (reason) => problems.push(reason), host);
  const watch = () =>
    events.watch({
      summary: () => ({ ...summary, errors: { ...summary.errors } }),
      inFlight: () => load.inFlight,
      waiting: () => load.waiting,
      endpoints: () => [endpoint],
    });
  watch();
  return {
    events,
    watch,
    summary,
    load,
    endpoint,
    problems,
    path: `${output}.events`,
    /** Lets `ms` milliseconds pass in which no timer fires. */
    block(ms: number) {
      now += ms;
    },
    /** Lets `ms` milliseconds pass. */
    pass(ms: number) {
      const end = now + ms;
      while (timer !== undefined && timer.at <= end) {
        const { at, run } = timer;
        timer = undefined;
        now = at;
        run();
      }
      now = end;
    },
  };
}

Deno.test("counts, load and retries of each second are recorded", () => {
  using folder = temporaryFolder();
  const { events, summary, load, path, pass } = recording(folder);
  load.inFlight = 8;
  load.waiting = 3;
  pass(500);
  Object.assign(load, { inFlight: 2, waiting: 0 });
  Object.assign(summary, { succeeded: 5, cached: 2, promptTokens: 50, completionTokens: 500 });
  summary.cost = 0.1 + 0.2;
  summary.errors = { timeout: 1 };
  events.retry(new RateLimitError("slow down", { status: 429 }));
  events.retry(new RateLimitError("slow down", { status: 429 }));
  events.retry(new TimeoutError("late", 1));
  events.retry("what");
  pass(499);
  load.inFlight = 0;
  pass(2001);
  summary.succeeded = 6;
  pass(10);
  events.end({ ...ENDING, succeeded: 6, failed: 1 });
  const [{ run, periods, end, marks }] = readEvents(path);
  assert.equal(run.at, new Date(START).toISOString());
  const empty = { in_flight: 0, waiting: 0, succeeded: 0, prompt_tokens: 0, completion_tokens: 0 };
  assert.deepEqual(periods, [
    {
      ...{ type: "period", at: START, seconds: 1, in_flight: 8, waiting: 3, succeeded: 5 },
      ...{ cached: 2, failed: { timeout: 1 }, prompt_tokens: 50, completion_tokens: 500 },
      ...{ cost: 0.3, retried: { rate_limit: 2, timeout: 1, internal: 1 } },
    },
    { type: "period", at: START + 3000, seconds: 1, ...empty, succeeded: 1, cost: 0 },
  ]);
  assert.deepEqual(marks, []);
  assert.equal(end?.outcome, "done");
  assert.deepEqual([end?.succeeded, end?.failed], [6, 1]);
});

Deno.test("records that finish so fast that no timer fires are counted in their seconds", () => {
  using folder = temporaryFolder();
  const { events, summary, path, block } = recording(folder);
  for (let i = 0; i < 6400; i++) {
    summary.succeeded++;
    if (i % 64 === 0) block(100);
    events.finished();
  }
  // As after a kill.
  const [{ periods }] = readEvents(path);
  assert.ok(periods.length >= 7, String(periods.length));
  assert.ok(periods.every(({ succeeded }) => succeeded > 300 && succeeded < 1000));
  events.end(ENDING);
  const [{ periods: all }] = readEvents(path);
  assert.equal(all.reduce((sum, { succeeded }) => sum + succeeded, 0), 6400);
});

Deno.test("429s, breakers and pauses are marked, and written within two seconds", () => {
  using folder = temporaryFolder();
  const { events, endpoint, path, pass } = recording(folder);
  pass(100);
  endpoint.rateLimited = 3;
  endpoint.state = "cooling";
  pass(600);
  endpoint.state = "down";
  pass(20_000);
  // As after a kill: the run has no end.
  const [{ marks: early, end }] = readEvents(path);
  assert.equal(end, undefined);
  const last = early.find(({ kind }) => kind === "paused")!;
  assert.ok(last.at + last.seconds! * 1000 >= START + 20_700 - 2300, JSON.stringify(last));
  endpoint.state = "up";
  pass(300);
  events.mark("stopped");
  events.end({ ...ENDING, outcome: "stopped", isOverBudget: true });
  const [{ marks }] = readEvents(path);
  const name = endpoint.name;
  assert.deepEqual(
    marks.map(({ kind, endpoint, count }) => [kind, endpoint, count]),
    [
      ["rate_limited", name, 3],
      ["paused", undefined, undefined],
      ["breaker_open", name, undefined],
      ["breaker_closed", name, undefined],
      ["stopped", undefined, undefined],
      ["budget", undefined, undefined],
    ],
  );
  const { seconds = 0 } = marks[1];
  assert.ok(seconds > 20.1 && seconds < 21, String(seconds));
});

Deno.test("a second part of a batch, whose counts start at zero again, continues the run", () => {
  using folder = temporaryFolder();
  const { events, watch, summary, path, pass } = recording(folder);
  summary.succeeded = 4;
  pass(100);
  events.unwatch();
  summary.succeeded = 0;
  watch();
  pass(100);
  summary.succeeded = 3;
  pass(2000);
  events.end(ENDING);
  const runs = readEvents(path);
  assert.equal(runs.length, 1);
  assert.equal(runs[0].periods.reduce((sum, { succeeded }) => sum + succeeded, 0), 7);
});

Deno.test("without any result, no file stays behind", () => {
  using folder = temporaryFolder();
  const { events, load, path, pass } = recording(folder);
  load.inFlight = 1;
  pass(5000);
  assert.ok(existsSync(path));
  events.end({ ...ENDING, hasResults: false });
  assert.ok(!existsSync(path));
});

Deno.test("a run in which nothing happened is not recorded", () => {
  using folder = temporaryFolder();
  const { events, path, pass } = recording(folder);
  pass(5000);
  events.end(ENDING);
  assert.ok(!existsSync(path));
});

Deno.test("a file that cannot be written is one problem, and the batch continues", () => {
  using folder = temporaryFolder();
  folder.write("out.jsonl.events", "my notes\n");
  const foreign = recording(folder);
  foreign.load.inFlight = 1;
  foreign.pass(10_000);
  foreign.events.end(ENDING);
  assert.deepEqual(foreign.problems, ["it has other content"]);
  assert.equal(readFileSync(foreign.path, "utf8"), "my notes\n");

  using other = temporaryFolder();
  const folderInTheWay = recording(other);
  mkdirSync(folderInTheWay.path);
  folderInTheWay.load.inFlight = 1;
  folderInTheWay.pass(10_000);
  folderInTheWay.events.retry(new TimeoutError("late", 1));
  folderInTheWay.events.end(ENDING);
  assert.equal(folderInTheWay.problems.length, 1);
});
