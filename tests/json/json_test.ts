import assert from "node:assert/strict";
import { asCount } from "../../lib/json/json.ts";

Deno.test("asCount() accepts finite numbers that are not negative", () => {
  assert.deepEqual([0, 7, 1e15].map(asCount), [0, 7, 1e15]);
  const none = [-1, NaN, Infinity, 1e400, "7", null, undefined, {}, true];
  assert.deepEqual(none.map(asCount), none.map(() => undefined));
});
