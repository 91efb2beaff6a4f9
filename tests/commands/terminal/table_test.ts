/** Tables on terminals of all widths. */
import assert from "node:assert/strict";
import stringWidth from "fast-string-truncated-width";
import { table } from "../../../commands/terminal/table.ts";

const COLUMNS = ["", "name", "server", "key"].map((title) => ({ title }));
const ROWS = [
  ["*", "版本 B 🎉 with a name that goes on and on", "https://a.example/v1", "missing"],
  ["", "b", "https://b.example/a/long/path/v1", ""],
];

Deno.test("a table is truncated to the terminal, widest columns first", () => {
  assert.deepEqual(table(COLUMNS, ROWS, { maxWidth: 60 }), [
    "   name                     server                   key",
    "*  版本 B 🎉 with a name …  https://a.example/v1     missing",
    "   b                        https://b.example/a/lo…",
  ]);
});

Deno.test("on a narrow terminal, columns are listed on separate lines", () => {
  assert.deepEqual(table(COLUMNS, ROWS, { maxWidth: 30 }), [
    "name    版本 B 🎉 with a na… *",
    "server  https://a.example/v1",
    "key     missing",
    "",
    "name    b",
    "server  https://b.example/a/l…",
  ]);
  const headed = table(COLUMNS.slice(1), ["Vendor", ["a", "b", "c"], ["d", "e", "f"], "Other", [
    "g",
    "h",
    "i",
  ]], { maxWidth: 10 });
  assert.deepEqual(headed, [
    "Vendor",
    "  name    a",
    "  server  b",
    "  key     c",
    "",
    "  name    d",
    "  server  e",
    "  key     f",
    "",
    "Other",
    "  name    g",
    "  server  h",
    "  key     i",
  ]);
});

Deno.test("no line is wider than the terminal; without one, nothing is truncated", () => {
  for (let maxWidth = 24; maxWidth < 120; maxWidth++) {
    for (const line of table(COLUMNS, ROWS, { maxWidth })) {
      assert.ok(stringWidth(line).width <= maxWidth, `${maxWidth}: ${line}`);
    }
  }
  assert.match(table(COLUMNS, ROWS, {}).join("\n"), /goes on and on .*\/long\/path\/v1/s);
});
