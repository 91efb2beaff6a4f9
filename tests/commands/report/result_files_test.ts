/** A shell's pattern names more files than the results. */
import assert from "node:assert/strict";
import { resultFiles } from "../../../commands/report/result_files.ts";

Deno.test("the events and reports of the named files are no results", () => {
  const named = ["out.jsonl", "out.jsonl.events", "out.report.html", "other.jsonl.events"];
  assert.deepEqual(resultFiles(named, "flexllm report"), ["out.jsonl", "other.jsonl.events"]);
});

Deno.test("at least one file is needed, and standard input only once", () => {
  assert.throws(() => resultFiles([], "flexllm results"), /no result file/);
  assert.throws(() => resultFiles(["-", "a.jsonl", "-"], "flexllm results"), /given twice/);
});
