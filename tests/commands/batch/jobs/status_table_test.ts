/** The table of `flexllm batch status`, and the parts as JSON. */
import assert from "node:assert/strict";
import { doneRows, partJson, stateOf } from "../../../../commands/batch/jobs/part_report.ts";
import { statusLines } from "../../../../commands/batch/jobs/status_table.ts";
import type { PartState } from "../../../../lib/batch/jobs/part_events.ts";

const NOW = Date.UTC(2026, 10, 27, 12);
const HOUR = 3_600_000;

function part(name: string, more: Partial<PartState> = {}): PartState {
  return {
    part: name,
    api: "openai",
    endpoint: "https://api.example.com/v1",
    key: "",
    model: "m",
    path: "/chat/completions",
    rows: 1000,
    bytes: 5,
    sha256: "",
    prompt_tokens: 1,
    reserved: null,
    phase: "submitted",
    plannedAt: NOW - HOUR,
    submittedAt: NOW - HOUR,
    changedAt: NOW,
    attempts: 1,
    job: { id: "batch_1", status: "running", expiresAt: NOW + 23 * HOUR },
    ...more,
  };
}

const COUNTED = part("a", {
  job: {
    id: "batch_1",
    status: "running",
    expiresAt: NOW + 23 * HOUR,
    counts: { succeeded: 400, failed: 20 },
  },
});
const COLLECTED = part("b", {
  phase: "collected",
  job: { id: "batch_2", status: "completed" },
  collected: { answered: 990, failed: 10, left: 0, missing: 0 },
});
const UNCLEAR = part("c", { phase: "unknown", submittedAt: undefined, job: undefined });

Deno.test("the table shows jobs, states, rows and times", () => {
  const lines = statusLines([COLLECTED, COUNTED, UNCLEAR], NOW, { maxWidth: undefined });
  assert.deepEqual(
    lines,
    [
      "part  job      state           rows    age   expires in",
      "b     batch_2  collected  1,000/1,000  60 min",
      "a     batch_1  running      420/1,000  60 min        23 h",
      "c              unclear          1,000  60 min",
      "",
      "1,000 rows collected; 2,000 rows in 2 unfinished parts",
    ].map((line, i) =>
      i === 0 ? "part  job      state             rows     age  expires in" : line
    ),
  );
});

Deno.test("rows that ended without an answer are counted", () => {
  const cancelled = part("f", {
    phase: "collected",
    job: { id: "batch_5", status: "cancelled" },
    collected: { answered: 1, failed: 0, left: 999, missing: 0 },
  });
  assert.equal(
    statusLines([cancelled], NOW, { maxWidth: undefined }).at(-1),
    "1 row collected; 999 rows ended without an answer; no unfinished parts",
  );
});

Deno.test("the model is shown if there are several, and how long results are kept if it is known", () => {
  const kept = part("d", {
    requested_model: "x",
    job: { id: "batch_4", status: "completed", resultsExpireAt: NOW + HOUR },
  });
  const [titles, first] = statusLines([kept, part("e")], NOW, { maxWidth: undefined });
  assert.match(titles, /^part {2}job {6}model {2}state .* results kept until \(UTC\)$/);
  assert.match(first, /^d {5}batch_4 {2}x {6}completed .* 2026-11-27 13:00$/);
});

Deno.test("a narrow terminal lists the columns of a part below each other", () => {
  for (const maxWidth of [30, 60]) {
    for (const line of statusLines([COUNTED, COLLECTED], NOW, { maxWidth })) {
      if (!line.includes("collected;")) assert.ok(line.length <= maxWidth, line);
    }
  }
});

const STATES: [more: Partial<PartState>, state: string][] = [
  [{ phase: "planned" }, "not submitted"],
  [{ phase: "uploaded" }, "not submitted"],
  [{ phase: "creating" }, "unclear"],
  [{}, "running"],
  [{ cancelling: "user" }, "cancelling"],
  [{ cancelling: "user", job: { id: "j", status: "cancelled" } }, "cancelled"],
  [{ phase: "ended" }, "to be collected"],
  [{ phase: "cleaned" }, "collected"],
  [{ phase: "dropped" }, "dropped"],
  [{ phase: "abandoned" }, "given up"],
  [{ phase: "exported" }, "exported"],
];

Deno.test("states are named in the reader's words", () => {
  for (const [more, state] of STATES) assert.equal(stateOf(part("a", more)), state);
});

Deno.test("JSON has what is known, and null for the rest", () => {
  assert.equal(doneRows(COUNTED), 420);
  assert.equal(doneRows(part("a")), undefined);
  assert.deepEqual(partJson(UNCLEAR), {
    part: "c",
    job: null,
    requested_model: null,
    model: "m",
    endpoint: "https://api.example.com/v1",
    state: "unclear",
    live: true,
    rows: 1000,
    succeeded: null,
    failed: null,
    left: null,
    submitted_at: null,
    expires_at: null,
    results_kept_until: null,
    problem: null,
  });
  const json = partJson(COLLECTED);
  assert.deepEqual([json.live, json.succeeded, json.failed, json.left], [false, 990, 10, 0]);
});
