/** Values of flags are parsed strictly, and durations accept units. */
import assert from "node:assert/strict";
import { InvalidArgumentError } from "commander";
import {
  anyInteger,
  collect,
  collectText,
  duration,
  durationRange,
  integer,
  integerRange,
  thinkingLevel,
  timeout,
} from "../../../commands/flags/parse.ts";

function rejects(parse: (text: string) => unknown, texts: string[], message: RegExp) {
  for (const text of texts) {
    assert.throws(
      () => parse(text),
      (error) => error instanceof InvalidArgumentError && message.test(error.message),
      text,
    );
  }
}

Deno.test("duration() parses seconds and units", () => {
  const cases: [text: string, seconds: number][] = [
    ["90", 90],
    ["0", 0],
    ["1.5", 1.5],
    ["1e3", 1000],
    ["30s", 30],
    ["500ms", 0.5],
    ["5m", 300],
    ["1.5h", 5400],
    ["7d", 604_800],
    [" 2 H ", 7200],
  ];
  for (const [text, seconds] of cases) assert.equal(duration(1e9)(text), seconds, text);
  rejects(
    duration(1e9),
    ["", "s", "-1", "-1m", "5x", "5 m s", "m5", "1h30m", "0x10"],
    /such as 30s/,
  );
  rejects(duration(3600), ["2h", "3601"], /Expected at most 3600 seconds/);
});

Deno.test("timeout() rejects 0, and values that are probably milliseconds", () => {
  assert.deepEqual(["0.5", "2m", "1d"].map(timeout), [0.5, 120, 86_400]);
  rejects(timeout, ["0", "0m", "-5", "soon"], /Expected seconds > 0/);
  rejects(timeout, ["120000", "25h"], /not milliseconds/);
});

Deno.test("integer() rejects fractions and values outside of its range", () => {
  assert.deepEqual(["1", "12", "1e2"].map(integer(1)), [1, 12, 100]);
  rejects(integer(1), ["0", "1.5", "", "a", "1e400"], /^Expected an integer ≥ 1\.$/);
  rejects(integer(0, 9), ["-1", "10", "1.5"], /^Expected an integer from 0 to 9\.$/);
});

Deno.test("ranges are ascending and contain only numbers", () => {
  assert.deepEqual(["3", "1-5"].map(integerRange), [[3, 3], [1, 5]]);
  rejects(integerRange, ["5-1", "1-2-3", "-1", "a-b"], /ascending range/);
  rejects(integerRange, ["1.5", "1-2.5"], /Expected an integer ≥ 0/);
});

Deno.test("durationRange() parses durations and ranges, with one unit or two", () => {
  const cases: [text: string, range: [number, number]][] = [
    ["0.5", [0.5, 0.5]],
    ["500ms", [0.5, 0.5]],
    ["1m", [60, 60]],
    ["1-5", [1, 5]],
    ["1s-5s", [1, 5]],
    ["1-5s", [1, 5]],
    ["200-500ms", [0.2, 0.5]],
    ["500ms-2s", [0.5, 2]],
    ["30s - 1m", [30, 60]],
  ];
  for (const [text, range] of cases) assert.deepEqual(durationRange(text), range, text);
  rejects(durationRange, ["", "5-1", "2s-1s", "1-2-3", "-1", "a-b", "1s-", "5x"], /such as 2/);
  rejects(durationRange, ["90000", "1-25h"], /at most one day/);
});

Deno.test("thinkingLevel() accepts switches, levels and tokens", () => {
  assert.deepEqual(["on", "FALSE", "high", "2048"].map(thinkingLevel), [true, false, "high", 2048]);
  rejects(thinkingLevel, ["0", "1.5", "very"], /number of tokens/);
});

Deno.test("collect() appends to the previous values", () => {
  assert.deepEqual(collect("b", collect("a")), ["a", "b"]);
  assert.deepEqual(collectText(" ", collectText("a")), ["a", " "]);
  rejects(collectText, [""], /Expected a text that is not empty\./);
});

Deno.test("anyInteger() says which integers are exact", () => {
  assert.deepEqual(["-1", "9007199254740991"].map(anyInteger), [-1, 9007199254740991]);
  rejects(anyInteger, ["1.5", "x", ""], /Expected an integer\.$/);
  rejects(anyInteger, ["9007199254740993"], /Expected an integer up to 9007199254740991\.$/);
});
