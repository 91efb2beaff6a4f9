import assert from "node:assert/strict";
import fc from "fast-check";
import { type PendingLine, PendingLines } from "../../lib/input/pending_lines.ts";

Deno.test("pending lines are returned as they were added", () => {
  const step = fc.record({
    isNewFile: fc.boolean(),
    skipped: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(1_000_000)),
    blank: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(1000)),
    bytes: fc.oneof({ weight: 5, arbitrary: fc.nat(300) }, fc.nat(2 ** 28)),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const lines = new PendingLines();
      const expected: PendingLine[] = [];
      let [index, file, number, offset] = [0, 0, 1, 0];
      for (const { isNewFile, skipped, blank, bytes } of steps) {
        if (isNewFile) [file, number, offset] = [file + 1, 1, 0];
        index += skipped;
        number += skipped + blank;
        offset += skipped * 10 + blank;
        expected.push({ index, file, number, offset });
        lines.add({ index, file, number, offset });
        [index, number, offset] = [index + 1, number + 1, offset + bytes + 1];
      }
      assert.equal(lines.length, expected.length);
      assert.deepEqual([...lines], expected);
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("a hundred thousand pending lines fill several pages", () => {
  const lines = new PendingLines();
  const offsetOf = (index: number) => index * 70 + 1_000_000_000_000;
  for (let index = 0; index < 100_000; index++) {
    lines.add({ index, file: 0, number: index + 1, offset: offsetOf(index) });
  }
  let next = 0;
  for (const { index, number, offset } of lines) {
    assert.deepEqual([index, number, offset], [next, next + 1, offsetOf(next)]);
    next++;
  }
  assert.equal(next, 100_000);
});
