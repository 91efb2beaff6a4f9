/** A report gets a name of its own, and replaces no other file. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  checkReportFile,
  defaultPath,
  writeReportFile,
} from "../../../commands/report/report_file.ts";
import { GENERATOR } from "../../../lib/report/page/page.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("the report is next to the results", () => {
  assert.equal(defaultPath(["a/out.jsonl"]), join("a", "out.report.html"));
  assert.equal(defaultPath(["out.jsonl.gz", "b.jsonl"]), "out.report.html");
  assert.equal(defaultPath(["answers"]), "answers.report.html");
});

Deno.test("a report replaces only reports", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "page.html");
  checkReportFile(path, []);
  await writeReportFile(path, `<!DOCTYPE html>\n${GENERATOR}`);
  checkReportFile(path, []);
  await writeReportFile(path, "<p>edited</p>");
  assert.equal(readFileSync(path, "utf8"), "<p>edited</p>");
  assert.throws(() => checkReportFile(path, []), /already exists and is not a report/);
  checkReportFile(path, [], true);
  assert.throws(() => checkReportFile(path, [path], true), /is the result file itself/);
  assert.throws(() => checkReportFile(join(folder.path, "no", "page.html"), []), /does not exist/);
});
