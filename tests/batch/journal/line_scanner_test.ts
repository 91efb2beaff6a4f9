/** The journal learns the same from the bytes of a line as from what JSON.parse makes of it, or parses it. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { ExistingLine } from "../../../lib/batch/journal/existing_line.ts";
import { loadFingerprint } from "../../../lib/batch/journal/fingerprint.ts";
import { JournalLineScanner } from "../../../lib/batch/journal/line_scanner.ts";
import { parseLine } from "../../../lib/batch/journal/parse_line.ts";
import { mutated } from "../../support/mutated_json.ts";

await loadFingerprint();
const scanner = new JournalLineScanner();

/** What the scanner finds; `undefined` if it leaves the line to the parser. */
function scanned(text: string): ExistingLine | undefined {
  const line = new ExistingLine();
  const bytes = Buffer.from(`?\n${text}\n?`);
  return scanner.scan(bytes, 2, bytes.length - 2, line) ? line : undefined;
}

/** What the parser finds, or why the line is none. */
function parsed(text: string): ExistingLine | string {
  const record = parseLine(text);
  return typeof record === "string" ? record : new ExistingLine().setFrom(record);
}

const text = fc.string({ unit: "binary", maxLength: 80 });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const message = fc.oneof(
  fc.record({ role: fc.constantFrom("user", "assistant"), content: text }),
  fc.record({ content: text, role: fc.constant("system") }),
  fc.record({
    role: fc.constant("assistant"),
    native: optional(fc.jsonValue()),
    content: fc.array(fc.record({ type: fc.constant("text"), text })),
  }),
);

/** Results with the fields that the journal reads, and others between them. */
const record = fc.record({
  index: fc.oneof(fc.nat(), fc.constantFrom(0, -1, 1.5, 200_000_000)),
  requested_model: optional(text),
  output: fc.option(text),
  status: fc.constantFrom("success", "error"),
  parsed: optional(fc.jsonValue()),
  input: optional(fc.oneof({ weight: 4, arbitrary: fc.array(message) }, fc.jsonValue())),
  metadata: optional(fc.dictionary(text, fc.jsonValue())),
  options: optional(fc.oneof(
    fc.record({ model: optional(text), temperature: optional(fc.double()) }),
    fc.jsonValue(),
  )),
  content_hash: optional(fc.oneof(text, fc.jsonValue())),
  model: optional(fc.oneof({ weight: 4, arbitrary: text }, fc.jsonValue())),
  cost: optional(fc.oneof({ weight: 4, arbitrary: fc.double() }, fc.jsonValue())),
  spent_before: optional(fc.double({ min: 0, noNaN: true })),
  tool_calls: optional(fc.array(fc.jsonValue())),
});

/** Lines, also with spaces as Python writes them. */
const json = fc.tuple(record, fc.boolean()).map(([value, isSpaced]) =>
  isSpaced ? JSON.stringify(value, null, 1).replace(/\n */g, " ") : JSON.stringify(value)
);

function assertSame(text: string): void {
  const line = scanned(text);
  if (line === undefined) return;
  assert.deepEqual({ ...line }, { ...parsed(text) as ExistingLine }, text);
}

Deno.test("a line's bytes tell the journal what JSON.parse does", () => {
  fc.assert(fc.property(json, assertSame), { numRuns: 500 });
});

Deno.test("a damaged line is never mistaken for another one", () => {
  fc.assert(
    fc.property(mutated(json), (text) => {
      if (text.isWellFormed() && !text.includes("\n")) assertSame(text);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("the usual lines are not parsed", () => {
  const message = '{"role":"user","content":"a \\"b\\"\\n你好"}';
  for (
    const fields of [
      `"input":[${message}]`,
      '"input":[{"role": "user", "content": "a"}]',
      '"input":[{"content":"a","role":"user"},{"role":"assistant","content":null,"tool_calls":[]}]',
      `"input":[${message}],"options":{"temperature":0.5,"model":"m"},"content_hash":"a"`,
      `"input":[${message}],"model":"m","cost":0.0001,"spent_before":0.5,"parsed":{"a":[1]}`,
      '"error":"no input"',
    ]
  ) {
    for (const end of ["", "\r", " "]) {
      const line = `{"index":7,"output":"x","status":"success",${fields}}${end}`;
      assert.deepEqual({ ...scanned(line) }, { ...parsed(line) as ExistingLine }, line);
    }
  }
});

Deno.test("of a field that occurs twice the last value counts", () => {
  const line =
    '{"index":1,"index":2,"status":"error","status":"success","input":[1],"cost":1,"cost":2,"input":[2]}';
  assert.deepEqual({ ...scanned(line) }, { ...parsed(line) as ExistingLine });
  assertSame('{"index":1,"status":"success","input":[{"role":"a","role":"b","content":"c"}]}');
});
