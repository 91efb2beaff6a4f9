/** The progress of provider jobs in a log. */
import assert from "node:assert/strict";
import { startProgress } from "../../../../commands/batch/progress/progress.ts";
import { divertNotes } from "../../../../commands/terminal/output.ts";
import type { JobView } from "../../../../lib/batch/jobs/job_view.ts";
import { emptySummary } from "../../../../lib/batch/summary.ts";

function view(state: string): JobView {
  return {
    part: "a1b2c3d4e5",
    requestedModel: undefined,
    model: "m",
    endpoint: "https://api.example.com/v1",
    rows: 10,
    state,
    job: undefined,
    submittedAt: 0,
    problem: undefined,
  };
}

Deno.test("a line is written when a state changes, and every ten minutes", () => {
  let [now, tick] = [0, () => {}];
  const lines: string[] = [];
  divertNotes((line) => lines.push(line));
  try {
    let state = "validating";
    const progress = startProgress(
      { summary: emptySummary },
      { total: 10, pending: 10, invalid: 0, answered: 0 },
      { quiet: false, input: "in.jsonl", endpoints: () => [], jobs: () => [view(state)] },
      {
        terminal: undefined,
        now: () => now,
        date: () => now,
        every(_, run) {
          tick = run;
          return () => {};
        },
      },
    );
    const wait = (seconds: number) => {
      for (let i = 0; i < seconds; i++) {
        now += 1000;
        tick();
      }
      return lines.splice(0).map((line) => / part: (\w+) /.exec(line)?.[1]);
    };
    assert.deepEqual(wait(60), ["validating"]);
    state = "running";
    assert.deepEqual(wait(60), ["running"]);
    assert.deepEqual(wait(1200), ["running", "running"]);
    state = "collected";
    assert.equal(wait(10).length, 1, "nothing is at the provider any more");
    progress.stop();
  } finally {
    divertNotes(undefined);
  }
});
