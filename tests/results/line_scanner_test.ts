/** The scanner reads the same facts from the bytes of a line as JSON.parse does, or gives up. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { parseLine } from "../../lib/batch/journal/parse_line.ts";
import { LineFacts } from "../../lib/results/line_facts.ts";
import { LineScanner } from "../../lib/results/line_scanner.ts";

const scanner = new LineScanner();

/** The facts that the scanner finds; `undefined` if it gives up. */
function scanned(line: string): LineFacts | undefined {
  const facts = new LineFacts();
  const bytes = Buffer.from(`??${line}??`);
  return scanner.scan(bytes, 2, bytes.length - 2, facts) ? facts : undefined;
}

function parsed(line: string): LineFacts | undefined {
  const record = parseLine(line);
  if (typeof record === "string") return undefined;
  const facts = new LineFacts();
  facts.setFrom(record);
  return facts;
}

const count = fc.nat(1_000_000);
const amount = fc.double({ min: 0, max: 1e6, noNaN: true });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const text = fc.string({ unit: "binary" });

/** Times in the form that a batch writes. */
const times = fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true })
  .map((date) => date.toISOString());

/** Results with the fields that a batch writes, in its order. */
const record = fc.record({
  index: count,
  requested_model: optional(text),
  output: fc.option(text),
  status: fc.constantFrom("success", "error"),
  parsed: optional(fc.jsonValue()),
  input: fc.array(fc.record({ role: fc.constant("user"), content: text })),
  metadata: optional(fc.dictionary(text, fc.jsonValue())),
  usage: optional(fc.record({
    prompt_tokens: count,
    completion_tokens: count,
    cached_tokens: optional(count),
    details: optional(fc.jsonValue()),
    reasoning_tokens: optional(count),
  })),
  model: optional(text),
  cost: optional(amount),
  latency: optional(amount),
  finish_reason: optional(fc.constantFrom("stop", "length")),
  error: optional(text),
  error_code: optional(fc.constantFrom("http", "timeout")),
  cached: optional(fc.constant(true)),
  spent_before: optional(amount),
  at: optional(fc.oneof(text, times, times.map((time) => time.replace(/[:.]/, "-")))),
  queued: optional(amount),
  first_token: optional(amount),
  attempts: optional(count),
  endpoint: optional(text),
});

Deno.test("the facts of any result are those of JSON.parse", () => {
  let givenUp = 0;
  fc.assert(fc.property(record, fc.boolean(), (value, isSpaced) => {
    // Python puts spaces after commas and colons.
    const json = isSpaced
      ? JSON.stringify(value, null, 1).replace(/\n */g, " ")
      : JSON.stringify(value);
    const facts = scanned(json);
    if (facts !== undefined) assert.deepEqual(facts, parsed(json));
    else if (value.at === undefined || !Number.isNaN(Date.parse(value.at))) givenUp++;
  }));
  // Only fields with escapes that could be others.
  assert.ok(givenUp < 30, String(givenUp));
});

Deno.test("a result that is cut anywhere is none", () => {
  fc.assert(fc.property(record, fc.double({ min: 0, max: 0.999, noNaN: true }), (value, share) => {
    const json = JSON.stringify(value);
    const cut = json.slice(0, Math.floor(json.length * share));
    assert.equal(scanned(cut), undefined);
  }));
});

Deno.test("unusual lines are left to the parser", () => {
  const lines = [
    "",
    "null",
    "[1]",
    "{}",
    '{"index":1}',
    '{"status":"success"}',
    '{"index":1.5,"status":"success"}',
    '{"index":-1,"status":"success"}',
    '{"index":"1","status":"success"}',
    '{"index":1,"status":"done"}',
    '{"index":1,"status":"started"}',
    '{"index":1,"status":"ended"}',
    '{"index":1,"status":"success"}}',
    '{"index":1,"status":"success"} {"index":2,"status":"success"}',
    '{"index":1,"status":"success",}',
    '{"\\u0069ndex":1,"status":"success"}',
    '{"index":1,"status":"success","requested_model":7}',
    '{"index":1,"status":"success","a":tru}',
    '{"index":1,"status":"success","a":1-2}',
    '{"index":1,"status":"success","output":"a\u0000b"}',
    '{"index":1,"outp{"index":2,"status":"success"}',
  ];
  for (const line of lines) assert.equal(scanned(line), undefined, line);
});

Deno.test("of a field that occurs twice the last value counts", () => {
  const usages = '"usage":{"prompt_tokens":1,"cached_tokens":2},"usage":{"completion_tokens":3}';
  const line = `{"index":1,"index":2,"status":"error","status":"success",${usages}}`;
  assert.deepEqual(scanned(line), parsed(line));
});

Deno.test("unusual times are those of Date.parse", () => {
  for (
    const at of [
      "2026-01-31T12:00:59.123\\u005a",
      "2026-01-31T24:00:00.000Z",
      "2026-01-31T24:00:01.000Z",
      "2026-01-31T12:00:60.000Z",
      "2026-02-30T12:00:01.000Z",
    ]
  ) {
    const line = `{"index":1,"status":"success","at":"${at}"}`;
    // `undefined` if the line is left to the parser.
    assert.deepEqual(scanned(line) ?? parsed(line), parsed(line), line);
  }
});

Deno.test("numbers are those of JSON.parse to the last bit", () => {
  for (const text of ["0.1", "0.00002175", "1e-7", "123456789012345678", "4.35", "1.1E3", "0"]) {
    const line = `{"index":1,"status":"success","cost":${text}}`;
    assert.equal(scanned(line)?.cost, Number(text));
  }
});
