import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import {
  EventsFile,
  ForeignFileError,
  MAX_EVENTS_SIZE,
} from "../../../lib/batch/events/events_file.ts";
import type { EventLine } from "../../../lib/batch/events/event_lines.ts";
import { readEvents } from "../../../lib/batch/events/read_events.ts";
import { memoryFolder, temporaryFolder } from "../../support/temporary_folder.ts";
import { END, mark, period, runLine } from "./event_samples.ts";

const CODES = { timeout: 1, http: 2, rate_limit: 3, malformed_response: 4, schema_mismatch: 5 };

/** The time at which the run number `i` starts. */
function startOf(i: number): string {
  return new Date(Date.UTC(2026, 0, 1) + i * 60_000).toISOString();
}

Deno.test("nothing is written before the first lines; a resumed batch appends a run", () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const first = new EventsFile(output, runLine());
  assert.equal(existsSync(first.path), false);
  first.append([period(1)]);
  first.append([mark(1500), END]);
  new EventsFile(output, runLine({ at: startOf(1) })).append([period(5)]);
  const types = readFileSync(`${output}.events`, "utf8").trimEnd().split("\n")
    .map((line) => JSON.parse(line).type);
  assert.deepEqual(types, ["run", "period", "mark", "end", "run", "period"]);
});

Deno.test("runs of a result file that was removed are not kept", () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  new EventsFile(output, runLine()).append([period(1), END]);
  const file = new EventsFile(output, runLine({ at: startOf(1) }), true);
  assert.equal(readEvents(file.path).length, 1);
  file.append([period(5)]);
  file.append([period(6)]);
  assert.deepEqual(readEvents(file.path).map(({ periods }) => periods.length), [2]);
});

Deno.test("a file that a killed run tore is continued on a new line", () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  new EventsFile(output, runLine()).append([period(1)]);
  appendFileSync(`${output}.events`, '{"type":"period","at":20');
  new EventsFile(output, runLine({ at: startOf(1) })).append([period(5), END]);
  const runs = readEvents(`${output}.events`);
  assert.deepEqual(runs.map(({ periods }) => periods.length), [1, 1]);
  assert.deepEqual(runs[1].end, END);
});

Deno.test("a run of ten days with failures everywhere stays below 1 MB and loses no count", () => {
  using folder = memoryFolder();
  const output = folder.file("out.jsonl");
  new EventsFile(output, runLine()).append([period(1), END]);
  const file = new EventsFile(output, runLine({ at: startOf(1) }));
  const seconds = 10 * 86_400;
  let largest = 0;
  // Some seconds apart, as in a slow batch, so that the test is fast.
  for (let second = 0; second < seconds; second += 200) {
    const lines: EventLine[] = [period(second, { failed: CODES, retried: CODES })];
    for (let i = 0; i < 3; i++) {
      lines.push(mark(second * 1000, { endpoint: `https://${i}.example` }));
    }
    file.append(lines);
    if (second % 6000 === 0) largest = Math.max(largest, statSync(file.path).size);
  }
  file.append([END]);
  assert.ok(largest < MAX_EVENTS_SIZE, String(largest));
  const [old, run] = readEvents(file.path);
  assert.equal(old.periods.length, 1);
  assert.ok(run.periods.length <= 600 && run.periods.length >= 300);
  assert.equal(run.periods.reduce((sum, { succeeded }) => sum + succeeded, 0), seconds / 200);
  assert.deepEqual(run.end, END);
  assert.deepEqual(readdirSync(folder.path), ["out.jsonl.events"]);
});

Deno.test("many runs stay below 1 MB: old ones lose detail, then the oldest disappear", () => {
  using folder = memoryFolder();
  const output = folder.file("out.jsonl");
  const write = (i: number, periods: number) => {
    const file = new EventsFile(output, runLine({ at: startOf(i) }));
    const lines: EventLine[] = [];
    for (let n = 0; n < periods; n++) lines.push(period(n, { failed: CODES }));
    file.append([...lines, END]);
  };
  for (let i = 0; i < 30; i++) {
    write(i, 500);
    assert.ok(statSync(`${output}.events`).size <= MAX_EVENTS_SIZE);
  }
  const runs = readEvents(`${output}.events`);
  assert.ok(runs.length > 10, String(runs.length));
  assert.equal(runs.at(-1)!.run.at, startOf(29));
  assert.equal(runs.at(-1)!.periods.length, 500);
  assert.ok(runs[0].periods.length <= 75);
  for (const { periods } of runs) {
    assert.equal(periods.reduce((sum, { succeeded }) => sum + succeeded, 0), 500);
  }
});

Deno.test("a file that another program changed or removed is written again", () => {
  using folder = temporaryFolder();
  const file = new EventsFile(folder.file("out.jsonl"), runLine());
  file.append([period(1)]);
  rmSync(file.path);
  file.append([period(2)]);
  assert.equal(readEvents(file.path)[0].periods.length, 2);
  appendFileSync(file.path, "noise\n");
  file.append([period(3)]);
  assert.equal(readEvents(file.path)[0].periods.length, 3);
  assert.ok(!readFileSync(file.path, "utf8").includes("noise"));
  writeFileSync(file.path, "my notes\n");
  assert.throws(() => file.append([period(4)]), ForeignFileError);
  assert.equal(readFileSync(file.path, "utf8"), "my notes\n");
});

Deno.test("other things in its place are left alone", () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const notes = folder.write("out.jsonl.events", "my notes\n");
  assert.throws(() => new EventsFile(output, runLine()), ForeignFileError);
  assert.equal(readFileSync(notes, "utf8"), "my notes\n");
  for (const left of ["", "\0\0\0", '{"type":"run","at":"20', `${JSON.stringify(runLine())}\n`]) {
    writeFileSync(notes, left);
    new EventsFile(output, runLine({ at: startOf(1) })).append([END]);
    assert.deepEqual(readEvents(notes).at(-1)!.end, END, JSON.stringify(left));
  }
  rmSync(notes);
  mkdirSync(notes);
  assert.throws(() => new EventsFile(output, runLine()), ForeignFileError);
});

Deno.test("discard removes the file of the first run, but not earlier runs", () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const first = new EventsFile(output, runLine());
  first.discard();
  first.append([period(1)]);
  first.discard();
  assert.equal(existsSync(first.path), false);
  new EventsFile(output, runLine()).append([period(1), END]);
  const second = new EventsFile(output, runLine({ at: startOf(1) }));
  second.append([period(2)]);
  second.discard();
  assert.equal(readEvents(second.path)[0].run.at, runLine().at);
});
