/** No failed record is missing from its picture. */
import assert from "node:assert/strict";
import { failurePicture } from "../../lib/report/pictures/failures.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { collect, failure, writeLines } from "./support.ts";

Deno.test("the picture of failures counts any number of kinds", async () => {
  using folder = temporaryFolder();
  const lines = Array.from({ length: 60 }, (_, i) => failure(i, `code ${i % 40}`, "no"));
  const picture = failurePicture(await collect([writeLines(folder.path, "out.jsonl", lines)]));
  assert.ok("table" in picture);
  const counts = picture.table.rows.map(([, count]) => Number(count));
  assert.equal(counts.reduce((sum, count) => sum + count, 0), 60);
  assert.equal(picture.table.rows.at(-1)![0], "(others)");
});
