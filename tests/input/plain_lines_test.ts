/** A line that is recognized from its bytes has the input that parsing it gives. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { fingerprint, loadFingerprint } from "../../lib/batch/journal/fingerprint.ts";
import { inputIdentity } from "../../lib/batch/journal/result_line.ts";
import type { ReadBytes } from "../../lib/files/lines.ts";
import { readByteLines } from "../../lib/files/lines.ts";
import { PlainLines } from "../../lib/input/plain_lines.ts";
import { type ReadOptions, readRecords } from "../../lib/input/records.ts";
import { mutated } from "../support/mutated_json.ts";

await loadFingerprint();

function inputOf(text: string) {
  const bytes = Buffer.from(text);
  const read: ReadBytes = (buffer, position) => bytes.copy(buffer, 0, position);
  const file = { name: "input", fd: -1, read, close: () => {} };
  return { name: "input", files: [file], hasGrown: () => false, close: () => {} };
}

/** The fingerprint of the only line from its bytes; `NaN` if it has to be parsed. */
function fromBytes(text: string, options: ReadOptions): number {
  const input = inputOf(text);
  const plain = PlainLines.of(input.files[0], options);
  for (const line of readByteLines(input.files[0].read)) return plain?.fingerprint(line) ?? NaN;
  return NaN;
}

/** The fingerprint of the only record of an input that is parsed; `NaN` if it is not valid. */
function fromRecord(text: string, options: ReadOptions): number {
  const [record] = readRecords(inputOf(text), options);
  return record === undefined || "problem" in record ? NaN : fingerprint(inputIdentity(record));
}

function assertSame(text: string, options: ReadOptions = {}): void {
  const print = fromBytes(text, options);
  if (!Number.isNaN(print)) assert.equal(print, fromRecord(text, options), text);
}

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.string({ unit: fc.constantFrom(..." \t\n\u00a0\u3000a你"), maxLength: 3 }),
);
const message = fc.oneof(
  fc.record({
    role: fc.constantFrom("system", "developer", "user", "assistant", "tool", "other"),
    content: fc.oneof({ weight: 8, arbitrary: text }, fc.jsonValue()),
  }),
  fc.record({ content: text, role: fc.constant("assistant"), native: fc.jsonValue() }),
);
const content = fc.oneof(text, fc.array(message), fc.jsonValue({ maxDepth: 1 }));
const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("q", "question", "prompt", "instruction", "messages") },
  {
    weight: 1,
    arbitrary: fc.constantFrom("system", "input", "context", "choices", "body", "text"),
  },
  { weight: 1, arbitrary: fc.constantFrom("id", "temperature", "model", "output", "index") },
);
const json = fc.dictionary(name, content, { minKeys: 1, maxKeys: 3 })
  .map((value) => JSON.stringify(value));
const options = fc.record({
  system: fc.option(fc.constantFrom("", "Be brief."), { nil: undefined }),
  dropAnswer: fc.boolean(),
  asMetadata: fc.constantFrom([], ["q"]),
});

Deno.test("the fingerprint of a line is that of its record", () => {
  fc.assert(fc.property(json, options, assertSame), { numRuns: 2000 });
});

Deno.test("a line that is not valid has to be parsed", () => {
  fc.assert(
    fc.property(mutated(json), options, (text, options) => {
      if (text.isWellFormed() && !text.includes("\n")) assertSame(text, options);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a line with an escaped field name has to be parsed", () => {
  for (
    const messages of [
      '[{"role":"user","content":"hi","\\u0078":1},{"role":"bogus"}]',
      '[{"role":"system","content":"hi","r\\u006fle":"user"}]',
      '[{"role":"user","\\u0063ontent":"hi"}]',
    ]
  ) {
    const line = `{"messages":${messages}}`;
    assert.ok(!(fromBytes(line, {}) >= 0), line);
    assertSame(line, { system: "Be brief." });
  }
});

Deno.test("the usual lines need not be parsed", () => {
  const conversation = '[{"role":"system","content":""},{"content":"你好","role":"user"}]';
  for (
    const [line, options] of [
      ['{"q":"What?"}', {}],
      ['{"id":1,"tags":["a"],"question":"What?"}\r', {}],
      ['{"prompt": "So \\"what\\"?", "id": 7} ', { system: "Be brief." }],
      ['{"instruction":"你好\\n","output":"x"}', { dropAnswer: true }],
      [`{"messages":${conversation},"id":1}`, { system: "Be brief." }],
    ] satisfies [string, ReadOptions][]
  ) {
    const print = fromBytes(line, options);
    assert.ok(print >= 0, line);
    assert.equal(print, fromRecord(line, options), line);
  }
});
