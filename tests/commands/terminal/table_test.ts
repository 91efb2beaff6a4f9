/** Tables on terminals of all widths. */
import assert from "node:assert/strict";
import stringWidth from "fast-string-truncated-width";
import { table } from "../../../commands/terminal/table.ts";

const COLUMNS = ["", "name", "server", "key"].map((title) => ({ title }));
const ROWS = [
  ["*", "版本 B 🎉 with a name that goes on and on", "https://a.example/v1", "missing"],
  ["", "b", "https://b.example/a/long/path/v1", ""],
];

Deno.test("a table is cut to the terminal, the widest columns first", () => {
  assert.deepEqual(table(COLUMNS, ROWS, { room: 60 }), [
    "   name                     server                   key",
    "*  版本 B 🎉 with a name …  https://a.example/v1     missing",
    "   b                        https://b.example/a/lo…",
  ]);
});

Deno.test("where there is no room for all columns, they stand below each other", () => {
  assert.deepEqual(table(COLUMNS, ROWS, { room: 30 }), [
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
  ]], { room: 10 });
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

Deno.test("no line is wider than the terminal, and without one nothing is cut", () => {
  for (let room = 24; room < 120; room++) {
    for (const line of table(COLUMNS, ROWS, { room })) {
      assert.ok(stringWidth(line).width <= room, `${room}: ${line}`);
    }
  }
  assert.match(table(COLUMNS, ROWS, {}).join("\n"), /goes on and on .*\/long\/path\/v1/s);
});
