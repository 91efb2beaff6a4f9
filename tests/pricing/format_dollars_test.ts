/** One way to show money: cents, and for less than a dollar what it takes to tell amounts apart. */
import assert from "node:assert/strict";
import { formatDollars } from "../../lib/pricing/format_dollars.ts";

Deno.test("the same amount is shown in the same way, however exact", () => {
  for (const digits of [3, 6]) {
    const shown = [0, 0.5, 0.05, 1, 1.25, 20, 1234.5, 0.00123, 1e-7].map((amount) =>
      formatDollars(amount, digits)
    );
    assert.deepEqual(shown, [
      "$0.00",
      "$0.50",
      "$0.05",
      "$1.00",
      "$1.25",
      "$20.00",
      "$1,234.50",
      "$0.00123",
      "$0.0000001",
    ]);
  }
});

Deno.test("more digits show more of an amount", () => {
  assert.deepEqual([formatDollars(0.123456), formatDollars(0.123456, 6)], ["$0.123", "$0.123456"]);
  assert.deepEqual([formatDollars(0.999999), formatDollars(0.999999, 6)], ["$1.00", "$0.999999"]);
  assert.deepEqual([formatDollars(2.34567), formatDollars(2.34567, 6)], ["$2.35", "$2.34567"]);
});
