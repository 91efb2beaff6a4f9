/** The exit codes of `flexllm batch`. */
import assert from "node:assert/strict";
import { batchExitCode, type Unfinished } from "../../../commands/batch/exit_code.ts";
import {
  BudgetExceededError,
  ConnectionError,
  JournalError,
  UnavailableError,
} from "../../../lib/errors.ts";

const DONE = { interrupted: false, failed: 0 };

const CASES: [what: string, summary: typeof DONE, failure: unknown, code: number][] = [
  ["all records succeeded", DONE, undefined, 0],
  ["some records failed", { ...DONE, failed: 2 }, undefined, 3],
  ["interrupted", { ...DONE, interrupted: true }, undefined, 130],
  ["interrupted after failures", { interrupted: true, failed: 2 }, undefined, 130],
  ["stopped by the budget", { ...DONE, failed: 2 }, new BudgetExceededError(1, 1, 1), 4],
  ["server stayed unreachable", { ...DONE, failed: 2 }, new UnavailableError("down"), 1],
  ["stopped by connection errors", { ...DONE, failed: 9 }, new ConnectionError("refused"), 1],
  ["result file lost while stopping", { ...DONE, interrupted: true }, new JournalError("no"), 1],
  ["a bug", DONE, new TypeError("x is undefined"), 1],
];

for (const [what, summary, failure, code] of CASES) {
  Deno.test(`exit code ${code}: ${what}`, () =>
    assert.equal(batchExitCode(summary, failure), code));
}

const NOTHING = { submitted: false, cancelled: false, left: false };

const JOBS: [
  what: string,
  summary: typeof DONE,
  failure: unknown,
  unfinished: Partial<Unfinished>,
  code: number,
][] = [
  ["everything was collected", DONE, undefined, {}, 0],
  ["some records failed", { ...DONE, failed: 1 }, undefined, {}, 3],
  ["rows are at the provider", DONE, undefined, { submitted: true, left: true }, 5],
  ["also if others failed", { ...DONE, failed: 1 }, undefined, { submitted: true }, 5],
  ["Ctrl-C", { ...DONE, interrupted: true }, undefined, { submitted: true }, 130],
  ["cancelled by another process", DONE, undefined, { cancelled: true, left: true }, 130],
  ["the deadline left records", DONE, undefined, { left: true }, 3],
  ["the budget", DONE, new BudgetExceededError(1, 1, 1), { submitted: true }, 4],
  ["an error", DONE, new ConnectionError("refused"), { submitted: true }, 1],
];

for (const [what, summary, failure, unfinished, code] of JOBS) {
  Deno.test(`exit code ${code} of a provider batch: ${what}`, () =>
    assert.equal(batchExitCode(summary, failure, { ...NOTHING, ...unfinished }), code));
}
