/** Control characters in text from models and servers. */
import assert from "node:assert/strict";
import {
  printable,
  printableJson,
  printableLine,
  printableStyled,
} from "../../../commands/terminal/sanitize.ts";

Deno.test("control characters become visible symbols", () => {
  assert.equal(printable("a\x1b[2J\x07\x9b31m\x7f\r\nb\tc"), "a␛[2J␇\ufffd31m␡\nb\tc");
  assert.equal(printable("日本語 😀 é"), "日本語 😀 é");
  assert.equal(printable("a\u202eb\u2066c\u200f שלום"), "a\ufffdb\ufffdc\u200f שלום");
  assert.equal(
    printableStyled("\x1b[31mred\x1b[0m\x1b[2J\u009b1m"),
    "\x1b[31mred\x1b[0m␛[2J\ufffd1m",
  );
  const own = "\x1b[1;36mx\x1b[22;39m\x1b[m";
  assert.equal(printableStyled(own), own);
  for (const hidden of ["8", "30", "40;30", "1;8", "38;5;0", "48;2;0;0;0"]) {
    assert.equal(printableStyled(`\x1b[${hidden}mx`), `␛[${hidden}mx`);
  }
  assert.equal(printableLine(" a\x1b[31m\nb\tc\u202ed\x7f "), "a b c\ufffdd");
  const json = printableJson(JSON.stringify({ a: "\u009b\x7f\u202e\u2069é" }, null, 2));
  assert.equal(json, '{\n  "a": "\\u009b\\u007f\\u202e\\u2069é"\n}');
});
