/** Of several lines of a record, the last one counts, in memory that fits the number of lines. */
import assert from "node:assert/strict";
import { LatestLines } from "../../lib/results/latest_lines.ts";

Deno.test("later lines replace earlier ones, however many records a model has", () => {
  for (const count of [10, 5000]) {
    const latest = new LatestLines();
    for (let i = 0; i < count; i++) latest.add(i, undefined, i);
    latest.add(3, undefined, count);
    latest.add(3, undefined, count + 1);
    latest.add(3, "other", count + 2);
    assert.equal(latest.replaced, 2);
    assert(latest.isReplaced(3) && latest.isReplaced(count));
    assert(!latest.isReplaced(4) && !latest.isReplaced(count + 1));
  }
});

Deno.test("models with one record each take no array each", () => {
  const latest = new LatestLines();
  // As arrays, these would take terabytes.
  for (let i = 0; i < 20_000; i++) latest.add(99_999_999 - i, `m${i}`, i);
  assert.equal(latest.replaced, 0);
});
