/** Nanodollars and the periods of budgets. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { formatNanos, toDollars, toNanos, toNanosUp } from "../../../lib/gateway/ledger/money.ts";
import { Calendar, resetOf } from "../../../lib/gateway/ledger/periods.ts";

Deno.test("a reservation is never less than what it is for, and exact amounts stay exact", () => {
  const whole = fc.integer({ min: 0, max: 10 ** 15 });
  fc.assert(
    fc.property(whole, (nanos) => {
      assert.equal(toNanos(toDollars(nanos)), nanos);
      assert.equal(toNanosUp(toDollars(nanos)), nanos);
    }),
    { seed: 18 },
  );
  fc.assert(
    fc.property(whole, fc.nat(999), (nanos, thousandths) => {
      const dollars = (nanos % 10 ** 9 + thousandths / 1000) / 1e9;
      assert(toNanosUp(dollars) >= toNanos(dollars));
    }),
    { seed: 18 },
  );
  assert.equal(toNanosUp(0.3), 300_000_000);
  assert.equal(toNanosUp(1.2e-10), 1);
});

Deno.test("amounts are shown without exponents or noise", () => {
  assert.deepEqual([0, 1, 1_500_000_000, 999_999_000, 123_456_789_012_345].map(formatNanos), [
    "$0.00",
    "$0.000000001",
    "$1.50",
    "$0.999999",
    "$123,456.79",
  ]);
});

Deno.test("budgets begin at midnight UTC, and a clock that is set back brings no day back", () => {
  assert.equal(new Date(resetOf("day", "2026-12-31")!).toISOString(), "2027-01-01T00:00:00.000Z");
  assert.equal(new Date(resetOf("month", "2028-02-01")!).toISOString(), "2028-03-01T00:00:00.000Z");
  assert.equal(resetOf("total", "2026-12-31"), undefined);
  let now = Date.UTC(2026, 10, 28, 23, 59, 59, 999);
  const calendar = new Calendar(() => now);
  assert.equal(calendar.today(), "2026-11-28");
  now++;
  assert.equal(calendar.today(), "2026-11-29");
  now -= 3600_000;
  assert.equal(calendar.today(), "2026-11-29");
});
