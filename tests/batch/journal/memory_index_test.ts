import assert from "node:assert/strict";
import fc from "fast-check";
import { ANY_INPUT, CHECKED } from "../../../lib/batch/journal/fingerprint.ts";
import { LineTable } from "../../../lib/batch/journal/line_table.ts";
import { MemoryIndex } from "../../../lib/batch/journal/memory_index.ts";
import type { LineEntry } from "../../../lib/batch/journal/record_index.ts";

const SIZE = 256;
const LENGTHS = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 2 ** 28 }));

Deno.test("a line table returns the locations that were set, in order and out of order", () => {
  const steps = fc.array(
    fc.record({
      isNext: fc.boolean(),
      position: fc.integer({ min: 0, max: SIZE - 1 }),
      // Lines of another program, and files of more than 4 GB.
      gap: fc.oneof(fc.constant(0), fc.integer({ min: -(2 ** 35), max: 2 ** 35 })),
      length: LENGTHS,
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: SIZE }), LENGTHS, steps, (inOrder, length, steps) => {
      const table = new LineTable(SIZE);
      const expected = new Map<number, { offset: number; length: number }>();
      let [end, last] = [10, -1];
      const set = (position: number, offset: number, length: number) => {
        table.set(position, offset, length);
        expected.set(position, { offset, length });
        [end, last] = [offset + length + 1, position];
      };
      for (let i = 0; i < inOrder; i++) set(i, end, length);
      for (const { isNext, position, gap, length } of steps) {
        set(isNext ? (last + 1) % SIZE : position, Math.max(0, end + gap), length);
      }
      for (const [position, location] of expected) assert.deepEqual(table.get(position), location);
    }),
    { seed: 1, numRuns: 300 },
  );
});

const entry = (fingerprint: number, state: LineEntry["state"] = "success"): LineEntry => ({
  state,
  fingerprint,
  offset: 0,
  length: 10,
});

Deno.test("an index returns fingerprints of 40 bits and the special ones", () => {
  const index = new MemoryIndex();
  const prints = [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 40 - 1, CHECKED, ANY_INPUT, NaN];
  for (const [i, print] of prints.entries()) index.set(i, entry(print));
  assert.deepEqual(prints.map((_, i) => index.fingerprint(i)), prints);
  for (const i of prints.keys()) index.setFingerprint(i, CHECKED);
  assert.deepEqual(prints.map((_, i) => index.fingerprint(i)), prints.map(() => CHECKED));
  index.setFingerprint(3, 2 ** 39);
  assert.equal(index.fingerprint(3), 2 ** 39);
  assert.equal(index.state(3), "success");
});

Deno.test("an index counts records that are replaced and forgotten", () => {
  const index = new MemoryIndex();
  index.set(70_000, entry(5, "error"));
  index.set(70_000, entry(6));
  index.set(70_000, entry(7, "error"));
  assert.deepEqual([index.state(70_000), index.fingerprint(70_000)], ["success", 6]);
  assert.deepEqual([index.successes, index.errors, index.end], [1, 0, 70_001]);
  index.forget(70_000);
  assert.deepEqual([index.state(70_000), index.successes, index.end], ["none", 0, 70_001]);
  assert.equal(index.state(5), "none");
  index.spend(70_000, 0.25);
  index.spend(70_000, 0.5);
  assert.deepEqual([index.spentOn(70_000), index.spentOn(5), index.spent], [0.75, 0, 0.75]);
});
