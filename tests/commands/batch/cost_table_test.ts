/** The cost table in the report of a batch. */
import assert from "node:assert/strict";
import { costTable } from "../../../commands/batch/report.ts";

function row(model: string, requests: number, cost: number | null, endpoint = "https://a/v1") {
  return {
    model,
    endpoint,
    requests,
    promptTokens: requests * 1000,
    completionTokens: 0,
    cost,
    unpriced: 0,
  };
}

Deno.test("one model at one endpoint needs no table", () => {
  assert.deepEqual(costTable([], { maxWidth: 80 }), []);
  assert.deepEqual(costTable([row("m", 5, 1)], { maxWidth: 80 }), []);
});

Deno.test("models and endpoints are aligned in columns", () => {
  assert.deepEqual(costTable([row("m", 12_000, 1.5), row("longer", 5, null)], {}), [
    "model   answers      tokens     cost  endpoint",
    "m        12,000  12,000,000    $1.50  https://a/v1",
    "longer        5       5,000  unknown  https://a/v1",
  ]);
});

Deno.test("every line fits the terminal, whatever the names contain", () => {
  const rows = [
    row("m".repeat(200), 5, 1, `https://${"h".repeat(99)}/v1`),
    row("x\u001b[31m\ny", 5, 0),
  ];
  for (const maxWidth of [48, 80, 200]) {
    const lines = costTable(rows, { maxWidth });
    assert.ok(lines.every((line) => line.length <= maxWidth), lines.join("\n"));
    // deno-lint-ignore no-control-regex
    assert.ok(!/[\x00-\x1f]/.test(lines.join("")));
  }
  assert.match(costTable(rows, { maxWidth: 80 })[1], /^m+… +5 /);
});

Deno.test("a long table is shortened", () => {
  const lines = costTable(Array.from({ length: 1000 }, (_, i) => row(`m${i}`, 1, 1)), {
    maxWidth: 80,
  });
  assert.equal(lines.length, 22);
  assert.equal(lines.at(-1), "… and 980 more; use --json for the full list");
});
