/** The report at the end of a batch. */
import assert from "node:assert/strict";
import { batchReport } from "../../../commands/batch/report.ts";
import { emptySummary } from "../../../lib/batch/summary.ts";

function reportWith(retries: number): string {
  const summary = { ...emptySummary(), succeeded: 2, seconds: 1, retries };
  const context = {
    model: "m",
    output: "out.jsonl",
    total: 2,
    piped: false,
    costs: [],
    endpoints: [],
    models: [],
    jobs: undefined,
  };
  return batchReport(summary, context, undefined, { failures: [], retries: [] }).join(" ");
}

Deno.test("the report says 1 retry, but 2 retries", () => {
  assert.match(reportWith(1), /2 succeeded, 0 failed, 1 retry /);
  assert.match(reportWith(1200), /, 1,200 retries /);
  assert.doesNotMatch(reportWith(0), /retr(y|ies) /);
});
