/** Ranges, reasons of failures, percentiles and Parquet. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { parquetReadObjects } from "hyparquet";
import { FailureGroups, messagePattern } from "../../lib/results/failure_groups.ts";
import { seededRandom } from "../../lib/runtime/random.ts";
import { LogHistogram } from "../../lib/results/log_histogram.ts";
import { dollarAmount, durationAmount, parseRange } from "../../lib/results/number_range.ts";
import { ColumnTypes, ParquetTableWriter } from "../../lib/results/table/parquet.ts";
import { parseExact } from "../../lib/json/json.ts";

Deno.test("ranges are comparisons or two bounds", () => {
  const cases: [text: string, inside: number[], outside: number[]][] = [
    [">2s", [2.1], [2, NaN]],
    [">= 500ms", [0.5, 9], [0.4]],
    ["<1m", [59], [60]],
    ["<=2", [2], [2.1]],
    ["=0", [0], [1]],
    ["500ms-2s", [0.5, 2], [0.4, 2.1]],
  ];
  for (const [text, inside, outside] of cases) {
    const test = parseRange(text, durationAmount)!;
    for (const value of inside) assert.ok(test(value), `${text}: ${value}`);
    for (const value of outside) assert.ok(!test(value), `${text}: ${value}`);
  }
  assert.ok(parseRange(">$1e-4", dollarAmount)!(0.001));
  for (const text of ["2", ">", "> x", "2-1", "1-2-3", "", "=>2", "-5"]) {
    assert.equal(parseRange(text, durationAmount), undefined, text);
  }
});

Deno.test("messages that differ in numbers and ids are one reason, other statuses are not", () => {
  const same = [
    ["request abc-123 failed", "request xyz-9 failed"],
    ["limit 30,000, used 1.5", "limit 40,000, used 2.75"],
    [
      "id 550e8400-e29b-41d4-a716-446655440000 at 2026-11-28T08:00:00.1Z",
      "id 110ec58a-a0f2-4ac4-8393-c866d813b8d1 at 2026-11-27T09:30:00.2Z",
    ],
  ];
  for (const [a, b] of same) assert.equal(messagePattern(a), messagePattern(b));
  const other = [
    ["the server answered 400: no", "the server answered 500: no"],
    ["no such field", "no such model"],
  ];
  for (const [a, b] of other) assert.notEqual(messagePattern(a), messagePattern(b));
});

Deno.test("the number of reasons is bounded, and examples are the lowest indexes", () => {
  const groups = new FailureGroups();
  const letters = (n: number) =>
    [...n.toString(26)].map((c) => String.fromCharCode(97 + parseInt(c, 26)));
  for (let i = 3000; i > 0; i--) groups.add(i, "http", letters(i).join(""), undefined);
  const list = groups.list();
  assert.equal(list.length, 1001);
  assert.deepEqual([list[0].message, list[0].count], [undefined, 2000]);
  assert.deepEqual(list[0].examples, [1, 2, 3, 4, 5]);
});

Deno.test("any number of codes and models takes flat memory, and long messages are cut", () => {
  const groups = new FailureGroups();
  for (let i = 0; i < 12_000; i++) groups.add(i, `code ${i}`, "same", `model ${i}`);
  groups.add(12_000, "code 0", "x".repeat(1_000_000), "model 0");
  const list = groups.list();
  assert.equal(list.length, 10_002);
  assert.deepEqual([list[0].code, list[0].model, list[0].count], ["(others)", undefined, 2000]);
  assert.equal(list.reduce((sum, { count }) => sum + count, 0), 12_001);
  const long = new FailureGroups();
  long.add(0, "http", "x".repeat(1_000_000), undefined);
  assert.equal(long.list()[0].message?.length, 10_001);
});

Deno.test("percentiles are within one percent, for durations from milliseconds to days", () => {
  const random = seededRandom(7);
  // Half of a bucket, in either direction.
  const bound = Math.log(1.02) / 2 + 1e-9;
  assert.ok(Math.exp(bound) < 1.01);
  for (const count of [1, 2, 10, 1001]) {
    const histogram = new LogHistogram();
    assert.equal(histogram.percentile(0.5), undefined);
    const durations = Array.from({ length: count }, () => 10 ** (random() * 8 - 3));
    for (const duration of durations) histogram.add(duration);
    durations.sort((a, b) => a - b);
    for (const share of [0.01, 0.25, 0.5, 0.9, 0.99, 1]) {
      const exact = durations[Math.ceil(share * count) - 1];
      const value = histogram.percentile(share)!;
      assert.ok(
        Math.abs(Math.log(value / exact)) <= bound,
        `${share} of ${count}: ${value}, ${exact}`,
      );
      assert.ok(value <= histogram.max);
    }
    assert.equal(histogram.max, durations.at(-1));
  }
});

Deno.test("Parquet has typed columns, and row groups that are read back", async () => {
  const rows = Array.from({ length: 45_000 }, (_, i) => [
    i,
    i % 3 === 0 ? undefined : i / 2,
    `text ${i}`,
    i % 2 === 0,
    { a: [i] },
    i === 0 ? parseExact("1669700650467246081") : i,
    i === 1 ? "mixed" : i,
    undefined,
  ]);
  const names = ["int", "double", "text", "bool", "nested", "big", "mixed", "none"];
  const types = new ColumnTypes(names.length);
  for (const row of rows) types.add(row);
  assert.deepEqual(types.list, [
    ...["INT64", "DOUBLE", "STRING", "BOOLEAN", "STRING", "INT64", "STRING", "STRING"],
  ]);
  const parts: Buffer[] = [];
  const writer = new ParquetTableWriter(names, types.list, (bytes) => {
    parts.push(Buffer.from(bytes));
  });
  for (const row of rows) writer.row(row);
  writer.end();
  assert.ok(parts.length >= 3);
  const { buffer, byteOffset, length } = Buffer.concat(parts);
  const file = buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer;
  const found = await parquetReadObjects({ file });
  assert.equal(found.length, rows.length);
  assert.deepEqual(found[0], {
    ...{ int: 0n, double: null, text: "text 0", bool: true, nested: '{"a":[0]}' },
    ...{ big: 1669700650467246081n, mixed: "0", none: null },
  });
  assert.deepEqual([found[44_999].int, found[1].mixed], [44_999n, "mixed"]);
});
