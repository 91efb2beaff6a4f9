import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { parseEvent } from "../../../lib/batch/events/parse_event.ts";
import { readEvents } from "../../../lib/batch/events/read_events.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { END, mark, period, runLine } from "./event_samples.ts";

function text(...lines: unknown[]): string {
  return lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(
    "",
  );
}

Deno.test("the runs of a file are read with their periods, marks and ends", () => {
  using folder = temporaryFolder();
  const second = runLine({ at: "2026-11-02T10:00:00.000Z", restored: 4, command: "flexllm batch" });
  const path = folder.write(
    "out.jsonl.events",
    text(runLine(), period(1), mark(1500), period(2), second, period(9), END),
  );
  assert.deepEqual(readEvents(path), [
    {
      run: runLine(),
      periods: [period(1), period(2)].map((each) => ({ ...each })),
      marks: [mark(1500)],
    },
    { run: second, periods: [period(9)], marks: [], end: END },
  ]);
});

Deno.test("torn lines, unknown types and fields, and lines before the first run are ignored", () => {
  using folder = temporaryFolder();
  const path = folder.write(
    "out.jsonl.events",
    text(
      period(0),
      "",
      { ...runLine(), shape: "round" },
      { type: "moon", phase: 1 },
      '{"type":"period","at":1000,"sec',
      "null",
      "[1]",
      { ...period(3), load: 0.5 },
    ) + '{"type":"end","at":"2026',
  );
  assert.deepEqual(readEvents(path), [{ run: runLine(), periods: [period(3)], marks: [] }]);
});

Deno.test("a value that no writer writes makes a line unreadable", () => {
  const cases: unknown[] = [
    { ...period(1), succeeded: -1 },
    { ...period(1), succeeded: 1.5 },
    { ...period(1), seconds: 0 },
    { ...period(1), seconds: "1" },
    { ...period(1), at: 1e300 },
    { ...period(1), failed: { timeout: "many" } },
    '{"type":"period","at":1000,"seconds":1e400,"in_flight":0}',
    { ...mark(1), kind: "exploded" },
    { ...mark(1), endpoint: 7 },
    { ...runLine(), at: "yesterday" },
    { ...runLine(), models: "m" },
    { ...runLine(), settings: { nested: {} } },
    { ...runLine(), command: "x".repeat(100_000) },
    { ...END, outcome: "<script>" },
  ];
  for (const value of cases) {
    const line = typeof value === "string" ? value : JSON.stringify(value);
    assert.equal(parseEvent(line), undefined, line.slice(0, 200));
  }
  for (const value of [period(1), mark(1), runLine(), END]) {
    assert.deepEqual(parseEvent(JSON.stringify(value)), value);
  }
});

Deno.test("names of object properties are not taken from the file", () => {
  const line = '{"type":"period","at":1,"seconds":1,"in_flight":0,"waiting":0,"succeeded":0,' +
    '"failed":{"__proto__":5},"prompt_tokens":0,"completion_tokens":0,"cost":0}';
  const parsed = parseEvent(line);
  assert.ok(parsed?.type === "period");
  assert.deepEqual(parsed.failed, {});
});

Deno.test("a missing file, a folder and another kind of file have no runs; a huge one is read in part", () => {
  using folder = temporaryFolder();
  assert.deepEqual(readEvents(folder.file("none.events")), []);
  mkdirSync(folder.file("folder.events"));
  assert.deepEqual(readEvents(folder.file("folder.events")), []);
  assert.deepEqual(readEvents(folder.write("a.events", "Not JSON\n")), []);
  const line = text({ ...period(1), more: "x".repeat(10_000) });
  const repeated = text(runLine()) + line.repeat(Math.ceil(12_000_000 / line.length));
  const [{ periods }] = readEvents(folder.write("big.events", repeated));
  assert.equal(periods.length, 1);
  assert.ok(periods[0].succeeded * line.length <= 8_000_000);
  assert.ok(periods[0].succeeded * line.length > 7_900_000);
});

Deno.test("times and amounts that no date and no sum can hold are no events", () => {
  const end = { type: "end", at: "2026-01-01T00:00:00Z", outcome: "done", succeeded: 1, failed: 0 };
  assert.notEqual(parseEvent(JSON.stringify({ ...end, duration: 5 })), undefined);
  assert.equal(parseEvent(JSON.stringify({ ...end, duration: 1e300 })), undefined);
  assert.equal(
    parseEvent(JSON.stringify({ ...end, duration: 5, at: "+200000-01-01T00:00:00Z" })),
    undefined,
  );
});
