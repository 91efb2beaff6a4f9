/** What is found or copied in bytes is what JSON.parse makes of them. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { endOfValue, numberAt } from "../../lib/json/byte_scanner.ts";
import { NormalJsonCopier } from "../../lib/json/copy_normal_json.ts";
import { tryParse } from "../../lib/json/json.ts";
import { NormalJsonWriter } from "../../lib/json/normal_json.ts";
import { mutated } from "../support/mutated_json.ts";

/** Values whose names and texts need escapes now and then. */
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: "binary", maxLength: 80 }),
    fc.string({ maxLength: 8 }),
    fc.double(),
    fc.integer(),
    fc.constantFrom(true, false, null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.constantFrom("role", "content", "native", "type", "text"), fc.string()),
      tie("value"),
      { maxKeys: 5 },
    ),
  ),
})).value;

/** JSON, also with spaces as Python writes it. */
const json = fc.tuple(value, fc.boolean()).map(([value, isSpaced]) =>
  isSpaced ? JSON.stringify(value, null, 1).replace(/\n */g, " ") : JSON.stringify(value)
);

/** Whether all of `text` is found to be one value. */
function isValue(text: string): boolean {
  const bytes = Buffer.from(`${text}\n`);
  return endOfValue(bytes, 0, bytes.length - 1) === bytes.length - 1;
}

Deno.test("JSON is found to be valid", () => {
  fc.assert(fc.property(json, (text) => assert.ok(isValue(text), text)));
});

Deno.test("what JSON.parse refuses is not found to be valid", () => {
  fc.assert(
    fc.property(mutated(json), (text) => {
      // A lone surrogate is not UTF-8, which the caller checks.
      if (isValue(text) && text.isWellFormed()) assert.notEqual(tryParse(text), undefined, text);
    }),
    { numRuns: 2000 },
  );
  const wrong = ["", "-", "01", "1.", ".5", "1e", "+1", "tru", "nul", "[1,]", "[1 2]", "[}", "{]"];
  const objects = ['{"a"}', '{"a":1,}', '{"a" 1}', "{1:2}", '{,"a":1}'];
  const strings = ['"', '"\\x"', '"\\u12g4"', '"\\"', '"\t"', '"\u0000"', '"a\nb"'];
  for (const text of [...wrong, ...objects, ...strings]) assert.ok(!isValue(text), text);
});

Deno.test("numbers are those of JSON.parse, and nothing else is one", () => {
  const digits = fc.string({ unit: fc.constantFrom(..."0123456789.-+eE"), maxLength: 20 });
  fc.assert(
    fc.property(digits, (text) => {
      const bytes = Buffer.from(`${text}\n`);
      const number = numberAt(bytes, 0, bytes.length - 1);
      assert.equal(number, (tryParse(text) ?? NaN) as number, text);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("the normal form is the same from bytes and from values, in any order and spelling", () => {
  const shuffled = fc.tuple(json, fc.boolean()).map((pair) => respelled(...pair));
  fc.assert(fc.property(shuffled, ([text, value]) => {
    if (!text.isWellFormed()) return;
    const bytes = Buffer.from(`${text}\n`);
    const copier = new NormalJsonCopier();
    assert.equal(copier.copy(bytes, 0, bytes.length - 1), bytes.length - 1);
    const writer = new NormalJsonWriter();
    writer.write(value);
    assert.equal(
      Buffer.from(copier.buffer.bytes).toString(),
      Buffer.from(writer.buffer.bytes).toString(),
    );
    assert.deepEqual(
      JSON.parse(Buffer.from(writer.buffer.bytes).toString()),
      JSON.parse(JSON.stringify(value)),
    );
  }));
});

/** The same JSON, on demand with escapes that are not needed, and its value with fields in another order. */
function respelled(text: string, isEscaped: boolean): [string, unknown] {
  const escaped = isEscaped ? text.replaceAll("/", "\\/").replaceAll("role", "r\\u006fle") : text;
  return [escaped, reversed(JSON.parse(text))];
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).reverse().map(([name, field]) => [name, reversed(field)]),
  );
}
