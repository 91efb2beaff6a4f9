import assert from "node:assert/strict";
import { failureLines, retryLines } from "../../../commands/batch/report.ts";
import { duration } from "../../../commands/terminal/format.ts";
import { ErrorKinds } from "../../../commands/errors/groups.ts";
import { type Progress, startProgress } from "../../../commands/batch/progress/progress.ts";
import {
  plainProgress,
  progressLines,
  type ProgressState,
} from "../../../commands/batch/progress/progress_lines.ts";
import { RecentRate } from "../../../commands/batch/progress/recent_rate.ts";
import { divertNotes } from "../../../commands/terminal/output.ts";
import { type BatchSummary, emptySummary } from "../../../lib/batch/summary.ts";
import type { EndpointStats } from "../../../lib/client/endpoint_stats.ts";
import {
  ConnectionError,
  HttpError,
  QuotaExceededError,
  RateLimitError,
  TimeoutError,
} from "../../../lib/errors.ts";
import { EmulatedTerminal } from "../../support/emulated_terminal.ts";

const START: ProgressState = {
  total: 60,
  pending: 60,
  summary: emptySummary(),
  rate: undefined,
  tokenRate: undefined,
  waiting: undefined,
  budget: undefined,
};
/** The counts after 1,000 records were restored. */
const RUNNING: ProgressState = {
  ...START,
  total: 10_000,
  pending: 9_000,
  summary: {
    ...emptySummary(),
    succeeded: 2_390,
    failed: 10,
    restored: 1_000,
    retries: 4,
    cached: 120,
    promptTokens: 1_234_567,
    completionTokens: 340_210,
    cost: 1.2345,
    unpriced: 12,
  },
  rate: 12.34,
  tokenRate: 1_750,
};
const WAITING = { ...RUNNING, waiting: { seconds: 41.2, reason: "the server asks to slow down" } };
const BUDGET = { ...RUNNING, budget: { limit: 2.5, spentBefore: 0 } };
const SPENT_BEFORE = { ...RUNNING, budget: { limit: 20, spentBefore: 10 } };
const ALL_DONE = { ...RUNNING, total: 2_400, pending: 2_400 };
const UNPRICED = {
  ...RUNNING,
  summary: { ...RUNNING.summary, cost: 0, unpriced: RUNNING.summary.succeeded },
};

function unpainted(state: ProgressState, columns: number): string[] {
  return progressLines(state, columns, (_, text) => text);
}

/** The expected lines by width. */
const SHOWN: [what: string, state: ProgressState, shown: [columns: number, lines: string[]][]][] = [
  ["the start", START, [
    [20, ["0%  0/60  0 ok", "0 tokens in, 0 out"]],
    [40, ["0%  0/60  0 ok", "0 tokens in, 0 out"]],
    [60, ["[            ]  0%  0/60  0 ok", "0 tokens in, 0 out"]],
  ]],
  ["a run", RUNNING, [
    [5, ["34%", ""]],
    [20, ["34%  3400/10000", "$1.23 spent"]],
    [40, ["34%  3400/10000  9 min left  10 failed", "1.6M tokens  $1.23 spent  ~$4.63 total"]],
    [60, [
      "34%  3400/10000  12/s  9 min left  2390 ok  10 failed",
      "1.6M tokens  $1.23 spent  ~$4.63 total  12 unpriced answers",
    ]],
    [80, [
      "[=====>          ]  34%  3400/10000  12/s  9 min left  2390 ok  10 failed",
      "1.2M tokens in, 340K out  1.8K tokens/s  $1.23 spent  ~$4.63 total  12 unpriced",
    ]],
    [100, [
      "[======>             ]  34%  3400/10000  12/s  9 min left  2390 ok  10 failed  4 retried",
      "1.2M tokens in, 340K out  1.8K tokens/s  $1.23 spent  ~$4.63 total  12 unpriced answers",
    ]],
    [200, [
      "[==========>                   ]  34%  3400/10000  12/s  9 min left  2390 ok  10 failed" +
      "  4 retried  120 cached",
      "1.2M tokens in, 340K out  1.8K tokens/s  $1.23 spent  ~$4.63 total" +
      "  12 unpriced answers",
    ]],
  ]],
  ["a wait", WAITING, [
    [40, ["3400/10000  waiting, 42 s  10 failed", "1.6M tokens  $1.23 spent  ~$4.63 total"]],
    [80, [
      "34%  3400/10000  waiting: the server asks to slow down, 42 s  10 failed",
      "1.2M tokens in, 340K out  $1.23 spent  ~$4.63 total  12 unpriced answers",
    ]],
  ]],
  ["a budget", BUDGET, [
    [20, ["34%  3400/10000", "$1.23 of $2.50"]],
    [60, [
      "34%  3400/10000  12/s  9 min left  2390 ok  10 failed",
      "1.6M tokens  $1.23 of $2.50  ~$4.63 total  12 unpriced",
    ]],
  ]],
  ["a budget that runs before have used", SPENT_BEFORE, [
    [60, [
      "34%  3400/10000  12/s  9 min left  2390 ok  10 failed",
      "1.6M tokens  $11.23 of $20.00  ~$14.63 total  12 unpriced",
    ]],
  ]],
  ["the end", ALL_DONE, [
    [60, [
      "[============]  100%  2400/2400  12/s  2390 ok  10 failed",
      "1.6M tokens  1.8K tokens/s  $1.23 spent  12 unpriced",
    ]],
  ]],
  ["a run without prices", UNPRICED, [
    [80, [
      "[=====>          ]  34%  3400/10000  12/s  9 min left  2390 ok  10 failed",
      "1.2M tokens in, 340K out  1.8K tokens/s",
    ]],
  ]],
];

for (const [what, state, shown] of SHOWN) {
  for (const [columns, lines] of shown) {
    Deno.test(`${what} in ${columns} columns`, () => {
      assert.deepEqual(unpainted(state, columns), lines);
    });
  }
}

Deno.test("lines are narrower than the terminal and show the counts from 20 columns", () => {
  const many = { ...RUNNING, total: 12_345_678, pending: 12_345_678 };
  for (const state of [START, RUNNING, WAITING, BUDGET, SPENT_BEFORE, ALL_DONE, UNPRICED, many]) {
    for (let columns = 1; columns <= 220; columns++) {
      const lines = unpainted(state, columns);
      assert.equal(lines.length, 2);
      for (const line of lines) assert.ok(line.length < columns, `${columns}: ${line}`);
      if (columns >= 20) assert.match(lines[0], new RegExp(`\\d+/${state.total}`));
    }
  }
});

Deno.test("colors take no width, and a cost projected above the budget is yellow", () => {
  const painted = progressLines(BUDGET, 60, (style, text) => `<${style}>${text}</>`);
  assert.deepEqual(painted, [
    "34%  3400/10000  12/s  9 min left  2390 ok  <red>10 failed</>",
    "<dim>1.6M tokens</>  $1.23 of $2.50  <yellow>~$4.63 total</>  <yellow>12 unpriced</>",
  ]);
});

Deno.test("a plain line contains every part", () => {
  assert.equal(
    plainProgress(WAITING),
    "34%  3400/10000  waiting: the server asks to slow down, retrying in 42 s  2390 ok  10 failed  " +
      "4 retried  120 cached  1.2M tokens in, 340K out  $1.23 spent  ~$4.63 total  " +
      "12 unpriced answers",
  );
});

Deno.test("a stopping run shows no time left", () => {
  const state = { ...RUNNING, summary: { ...RUNNING.summary, interrupted: true } };
  assert.match(unpainted(state, 80)[0], / 3400\/10000 {2}stopping {2}2390 ok/);
});

Deno.test("rates and times use a unit without leading zeros", () => {
  const cases: [rate: number, pending: number, shown: string][] = [
    [12_400, 1_000_000, "12K/s  81 s left"],
    [345.6, 1_000_000, "346/s  48 min left"],
    [9.96, 10_000, "10/s  17 min left"],
    [1.04, 10_000, "1.0/s  2 h 40 min left"],
    [0.5, 10_000, "30/min  5 h 33 min left"],
    [0.02, 10_000, "1.2/min  6 days left"],
    [0.001, 3, "3.6/h  50 min left"],
    [1000, 3, "1K/s  1 s left"],
  ];
  for (const [rate, pending, shown] of cases) {
    const line = unpainted({ ...START, total: pending, pending, rate }, 60)[0];
    assert.ok(line.includes(`  ${shown}  `), line);
  }
});

Deno.test("the rate covers the last ten seconds, not the whole run", () => {
  const rate = new RecentRate(0);
  assert.equal(rate.perSecond(50), undefined);
  let count = 0;
  for (let now = 100; now <= 60_000; now += 100) rate.note(count += 10, now);
  assert.equal(rate.perSecond(60_000), 100);
  for (let now = 60_100; now <= 65_000; now += 100) rate.note(count += 1, now);
  const midway = rate.perSecond(65_000)!;
  assert.ok(midway > 50 && midway < 60, `${midway}`);
  for (let now = 65_100; now <= 71_000; now += 100) rate.note(count += 1, now);
  assert.equal(rate.perSecond(71_000), 10);
});

Deno.test("a low rate uses a longer window and only drops when a record is overdue", () => {
  const rate = new RecentRate(0);
  for (let i = 1; i <= 5; i++) rate.note(i, i * 30_000);
  assert.equal(rate.perSecond(150_000), 1 / 30);
  assert.equal(rate.perSecond(179_000), 1 / 30);
  assert.equal(rate.perSecond(330_000), 5 / 300);
});

Deno.test("answers in bursts have a steady rate", () => {
  const rate = new RecentRate(0);
  let count = 0;
  for (let now = 100; now <= 80_000; now += 100) {
    if (now % 8000 === 0) count += 64;
    rate.note(count, now);
    if (now >= 8000) assert.equal(rate.perSecond(now), 8, `at ${now} ms`);
  }
});

Deno.test("a long pause does not affect the rate for long", () => {
  const rate = new RecentRate(0);
  let count = 0;
  for (let now = 100; now <= 20_000; now += 100) rate.note(count += 10, now);
  for (let now = 20_100; now <= 80_000; now += 100) rate.note(count, now);
  assert.ok(rate.perSecond(80_000)! < 1);
  for (let now = 80_100; now <= 81_000; now += 100) rate.note(count += 10, now);
  assert.equal(rate.perSecond(81_000), 100);
});

Deno.test("a duration never has 60 seconds or minutes", () => {
  const cases: [number, string][] = [
    [0.04, "0.0 s"],
    [9.96, "10 s"],
    [59.6, "1 min"],
    [119.7, "2 min"],
    [3599.9, "1 h"],
    [3665, "1 h 1 min"],
    [7384, "2 h 3 min"],
  ];
  for (const [seconds, text] of cases) assert.equal(duration(seconds), text);
});

/** A progress display with a virtual clock and a scripted batch. */
class Stage implements Disposable {
  readonly summary = emptySummary();
  readonly notes: string[] = [];
  endpoints: EndpointStats[] = [];
  readonly progress: Progress;
  #now = 0;
  readonly #timers: { every: number; next: number; run: () => void }[] = [];

  constructor(
    check: { total: number; pending: number },
    options: { terminal?: EmulatedTerminal; quiet?: boolean } = {},
  ) {
    const { terminal, quiet = false } = options;
    if (terminal === undefined) divertNotes((line) => this.notes.push(line));
    this.progress = startProgress(
      { summary: () => ({ ...this.summary }) },
      { ...check, invalid: 0, answered: 0 },
      { quiet, input: "in.jsonl", endpoints: () => this.endpoints },
      {
        terminal,
        now: () => this.#now,
        date: () => this.#now,
        every: (ms, run) => {
          const timer = { every: ms, next: this.#now + ms, run };
          this.#timers.push(timer);
          return () => this.#timers.splice(this.#timers.indexOf(timer), 1);
        },
      },
    );
  }

  /** Advances the time by `ms` milliseconds, and calls `during` in each. */
  pass(ms: number, during: (summary: BatchSummary) => void = () => {}): void {
    for (const end = this.#now + ms; this.#now < end;) {
      this.#now++;
      during(this.summary);
      for (const timer of [...this.#timers]) {
        if (timer.next > this.#now) continue;
        timer.next += timer.every;
        timer.run();
      }
    }
  }

  [Symbol.dispose](): void {
    this.progress.stop();
    divertNotes(undefined);
    assert.equal(this.#timers.length, 0, "a timer is still running");
  }
}

const TERMINAL = { columns: 60, rows: 10 };

Deno.test("a short run shows nothing", () => {
  using terminal = new EmulatedTerminal(TERMINAL);
  {
    using stage = new Stage({ total: 10, pending: 10 }, { terminal });
    stage.pass(150, (summary) => summary.succeeded = 10);
  }
  assert.deepEqual(terminal.writes, []);
});

Deno.test("a terminal is redrawn at most ten times per second and only for changes", () => {
  using terminal = new EmulatedTerminal(TERMINAL);
  using stage = new Stage({ total: 1_000_000, pending: 1_000_000 }, { terminal });
  stage.pass(1000, (summary) => summary.succeeded++);
  const busy = terminal.writes.length;
  assert.ok(busy >= 8 && busy <= 10, `${busy} times`);
  stage.progress.stop();
  using idleTerminal = new EmulatedTerminal(TERMINAL);
  using idle = new Stage({ total: 10, pending: 10 }, { terminal: idleTerminal });
  idle.pass(5000);
  assert.equal(idleTerminal.writes.length, 1);
});

Deno.test("restored records count as done, but not for rate, time left and projected cost", async () => {
  using terminal = new EmulatedTerminal({ columns: 100, rows: 10 });
  using stage = new Stage({ total: 1000, pending: 200 }, { terminal });
  stage.summary.restored = 800;
  let ms = 0;
  stage.pass(10_000, (summary) => {
    if (++ms % 100 !== 0) return;
    summary.succeeded++;
    summary.promptTokens += 5;
    summary.completionTokens += 20;
    summary.cost += 0.01;
  });
  assert.deepEqual(await terminal.allRows(), [
    "[==================> ]  90%  900/1000  10/s  10 s left  100 ok",
    "500 tokens in, 2K out  200 tokens/s  $1.00 spent  ~$2.00 total",
  ]);
});

Deno.test("notes appear above the progress, which is cleared at the end", async () => {
  using terminal = new EmulatedTerminal(TERMINAL);
  {
    using stage = new Stage({ total: 10, pending: 10 }, { terminal });
    stage.progress.note("early");
    stage.pass(300);
    stage.progress.note("late");
    assert.deepEqual(await terminal.allRows(), [
      ...["early", "late", "[            ]  0%  0/10  0 ok", "0 tokens in, 0 out"],
    ]);
  }
  assert.deepEqual(await terminal.allRows(), ["early", "late"]);
});

Deno.test("a single short line is shown while the terminal is being resized", async () => {
  using terminal = new EmulatedTerminal({ columns: 100, rows: 10 });
  using stage = new Stage({ total: 10_000, pending: 10_000 }, { terminal });
  stage.summary.failed = 7;
  stage.pass(1000);
  const full = (await terminal.allRows()).map((row) => row.length);
  for (let columns = 99; columns >= 60; columns--) {
    await terminal.resize(columns);
    stage.pass(50);
    if (columns < 98) assert.deepEqual(await terminal.allRows(), ["7/10000  7 failed"]);
  }
  await terminal.resize(100);
  stage.pass(400);
  assert.deepEqual(await terminal.allRows(), ["7/10000  7 failed"]);
  stage.pass(300);
  assert.equal(full.length, 2);
  assert.deepEqual((await terminal.allRows()).map((row) => row.length), full);
});

Deno.test("without a terminal, a plain line is written every five seconds", () => {
  using stage = new Stage({ total: 100, pending: 100 });
  let ms = 0;
  stage.pass(14_000, (summary) => {
    if (++ms % 200 === 0) summary.unpriced = ++summary.succeeded;
  });
  assert.deepEqual(stage.notes, [
    "25%  25/100  5.0/s  15 s left  25 ok  0 tokens in, 0 out",
    "50%  50/100  5.0/s  10 s left  50 ok  0 tokens in, 0 out",
  ]);
});

/** The stats of an endpoint in a pool. */
function endpoint(changes: Partial<EndpointStats>): EndpointStats {
  return {
    ...{ endpoint: "http://127.0.0.1/v1", model: "m", state: "up", retryIn: null, inFlight: 0 },
    ...{ concurrency: 10, rate: null, answers: 0, failures: 0, latency: null, lastError: null },
    ...changes,
  };
}

const TOO_LONG = new HttpError("the server answered 400: too long", { status: 400 });
const BROKEN = new HttpError("the server answered 500: oops", { status: 500 });
const REFUSED = new ConnectionError("connection refused (http://127.0.0.1:1/v1/chat/completions)");
const LIMITED = new RateLimitError("slow down", { status: 429, retryAfter: 30 });

async function wholeScreen(terminal: EmulatedTerminal): Promise<string> {
  return (await terminal.allRows()).join("\n");
}

Deno.test("a server that is down is shown within a second, with the time of the next attempt", async () => {
  using terminal = new EmulatedTerminal({ columns: 100, rows: 10 });
  using stage = new Stage({ total: 100, pending: 100 }, { terminal });
  stage.endpoints = [endpoint({ inFlight: 10 })];
  stage.pass(2000, (summary) => summary.succeeded = 36);
  const down = { failures: 10, lastError: REFUSED };
  stage.endpoints = [endpoint({ ...down, state: "down", retryIn: 3.2 })];
  stage.pass(1100);
  const shown = await wholeScreen(terminal);
  assert.match(shown, / 36\/100 {2}waiting: connection refused, retrying in 4 s {2}36 ok/);
  stage.endpoints = [endpoint({ ...down, state: "probing", inFlight: 1 })];
  stage.pass(100);
  assert.match(await wholeScreen(terminal), /waiting: connection refused, retrying/);
  stage.endpoints = [endpoint(down)];
  stage.pass(100, (summary) => summary.succeeded = 37);
  assert.doesNotMatch(await wholeScreen(terminal), /waiting/);
});

Deno.test("a rate limit is shown until the next answer", async () => {
  using terminal = new EmulatedTerminal({ columns: 100, rows: 10 });
  using stage = new Stage({ total: 9000, pending: 9000 }, { terminal });
  const limited = { state: "cooling", lastError: LIMITED, failures: 3 } as const;
  stage.endpoints = [endpoint({ ...limited, inFlight: 5, retryIn: 30 })];
  stage.pass(2000, (summary) => summary.succeeded++);
  assert.match(await wholeScreen(terminal), / left /, "those in flight are still answered");
  stage.endpoints = [endpoint({ ...limited, failures: 8, retryIn: 24.5 })];
  stage.pass(1100);
  assert.match(
    await wholeScreen(terminal),
    /waiting: rate limited by the server, (next try in )?25 s/,
  );
  stage.endpoints = [
    endpoint({ state: "cooling", lastError: REFUSED, failures: 9, retryIn: 24.5 }),
  ];
  stage.pass(100);
  assert.match(
    await wholeScreen(terminal),
    /waiting: the server's rate limit, /,
    "by headers",
  );
  stage.endpoints = [endpoint({ ...limited, failures: 8, state: "up", retryIn: null })];
  stage.pass(1000, (summary) => summary.succeeded++);
  assert.doesNotMatch(await wholeScreen(terminal), /waiting/);
});

Deno.test("a server that only answers 429 without Retry-After is shown", async () => {
  using terminal = new EmulatedTerminal({ columns: 100, rows: 10 });
  using stage = new Stage({ total: 100, pending: 100 }, { terminal });
  let failures = 0;
  stage.pass(2000, () => {
    stage.endpoints = [endpoint({ inFlight: 10, failures: ++failures, lastError: LIMITED })];
    stage.progress.retry({ error: LIMITED, failures: 1, wait: 0 });
  });
  assert.match(await wholeScreen(terminal), /waiting: rate limited by the server, retrying/);
});

Deno.test("waiting for retries is shown only while nothing is in flight", async () => {
  using terminal = new EmulatedTerminal({ columns: 100, rows: 10 });
  using stage = new Stage({ total: 1000, pending: 1000 }, { terminal });
  const failed = { failures: 1, lastError: REFUSED };
  stage.endpoints = [endpoint({ ...failed, inFlight: 9 })];
  stage.progress.retry({ error: REFUSED, failures: 1, wait: 20 });
  stage.pass(3000);
  assert.doesNotMatch(await wholeScreen(terminal), /waiting/, "a slow server");
  stage.endpoints = [endpoint(failed)];
  stage.pass(100);
  assert.match(await wholeScreen(terminal), /waiting: connection refused, retrying in 17 s/);
  stage.progress.retry({ error: BROKEN, failures: 1, wait: 2 });
  stage.pass(100);
  assert.match(
    await wholeScreen(terminal),
    /waiting: the server answered 500: oops, retrying in 2 s/,
  );
});

Deno.test("if all endpoints are down, the one that is probed next is shown", async () => {
  using terminal = new EmulatedTerminal({ columns: 100, rows: 10 });
  using stage = new Stage({ total: 100, pending: 100 }, { terminal });
  const slow = endpoint({ state: "cooling", lastError: LIMITED, failures: 1, retryIn: 50 });
  stage.endpoints = [slow, endpoint({ inFlight: 1 })];
  stage.pass(2000);
  assert.doesNotMatch(await wholeScreen(terminal), /waiting/, "one is up");
  stage.endpoints = [
    slow,
    endpoint({ state: "down", lastError: REFUSED, failures: 9, retryIn: 7 }),
  ];
  stage.pass(100);
  assert.match(await wholeScreen(terminal), /waiting: connection refused, retrying in 7 s/);
});

Deno.test("without a terminal, a wait is written when it starts, then every five seconds", () => {
  using stage = new Stage({ total: 100, pending: 100 });
  stage.pass(2900, (summary) => summary.succeeded = 36);
  stage.endpoints = [endpoint({ state: "down", failures: 10, lastError: REFUSED, retryIn: 8 })];
  stage.pass(1200);
  assert.match(
    stage.notes[0],
    /^36% {2}36\/100 {2}waiting: connection refused, retrying in 8 s {2}/,
  );
  stage.pass(3800);
  assert.equal(stage.notes.length, 1);
  stage.pass(1000);
  assert.equal(stage.notes.length, 2);
});

Deno.test("the first failure of each kind is printed with its location, further ones are counted", () => {
  using stage = new Stage({ total: 100, pending: 100 });
  const { progress, notes } = stage;
  for (let index = 0; index < 50; index++) {
    const error = index % 5 === 0 ? BROKEN : TOO_LONG;
    progress.failure({ index, location: `in.jsonl:${index + 3}`, error });
  }
  progress.failure({ index: 50, error: new TimeoutError("no answer in 120 s", 120) });
  const hint = "Top up the account, or use another model.";
  progress.failure({
    ...{ index: 51, location: "in.jsonl:54" },
    error: new QuotaExceededError("the server answered 402", { status: 402, hint }),
  });
  assert.deepEqual(notes, [
    "failed: in.jsonl:3 (record 0): the server answered 500: oops",
    "failed: in.jsonl:4 (record 1): the server answered 400: too long",
    "failed: in.jsonl (record 50): no answer in 120 s",
    "failed: in.jsonl:54 (record 51): the server answered 402",
    hint,
  ]);
  assert.deepEqual(failureLines(progress.failures()), [
    "Failed with http 400: 40 records, first in.jsonl:4 (record 1): the server answered 400: too long",
    "Failed with http 500: 10 records, first in.jsonl:3 (record 0): the server answered 500: oops",
    "Failed with timeout: 1 record, in.jsonl (record 50): no answer in 120 s",
    "Failed with quota_exceeded 402: 1 record, in.jsonl:54 (record 51): the server answered 402",
  ]);
});

Deno.test("the first retry for each kind of error is printed, and all are counted", () => {
  using stage = new Stage({ total: 100, pending: 100 });
  const { progress, notes } = stage;
  for (let i = 0; i < 1200; i++) progress.retry({ error: BROKEN, failures: 1, wait: 0.5 });
  progress.retry({ error: new ConnectionError("connection reset"), failures: 2, wait: 8 });
  progress.failure({ index: 0, location: "in.jsonl:1", error: BROKEN });
  assert.deepEqual(notes, [
    "retrying: the server answered 500: oops",
    "retrying: connection reset",
    "failed: in.jsonl:1 (record 0): the server answered 500: oops",
  ]);
  assert.deepEqual(retryLines(progress.retries()), ["Retried: 1,200 http 500, 1 connection"]);
  assert.deepEqual(retryLines([]), []);
});

Deno.test("a quiet run prints only failures", () => {
  using stage = new Stage({ total: 100, pending: 100 }, { quiet: true });
  stage.progress.note("a note");
  stage.progress.retry({ error: BROKEN, failures: 1, wait: 10 });
  stage.progress.failure({ index: 0, location: "in.jsonl:1", error: TOO_LONG });
  stage.pass(20_000);
  assert.deepEqual(stage.notes, [
    "failed: in.jsonl:1 (record 0): the server answered 400: too long",
  ]);
});

Deno.test("error messages are one line without control characters", () => {
  const kinds = new ErrorKinds();
  const text = "bad \x1b[2J\x1b]0;title\x07line\r\nnext\tone\x9b1m";
  assert.equal(kinds.count(new ConnectionError(text))?.first, "bad line next one");
  assert.equal(kinds.count("just a string")?.name, "unexpected");
});
