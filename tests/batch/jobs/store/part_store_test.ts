import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import {
  openPartStore,
  readParts,
  requestCancel,
} from "../../../../lib/batch/jobs/open_part_store.ts";
import { holdsRows } from "../../../../lib/batch/jobs/part_events.ts";
import { JournalError } from "../../../../lib/errors.ts";
import {
  jsonLines,
  type TemporaryFolder,
  temporaryFolder,
} from "../../../support/temporary_folder.ts";
import { countedNonces, planPart, recordAt, rowOf } from "./part_fixtures.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const JOB = { id: "batch_1", status: "queued" } as const;

function opened(output: string) {
  return openPartStore(output, { nonce: countedNonces(), now: () => NOW });
}

function isJournalError(pattern: RegExp) {
  return (error: unknown) => error instanceof JournalError && pattern.test(error.message);
}

/** The files of a batch with one planned part, and the log's text. */
async function plannedPart(folder: TemporaryFolder) {
  const output = folder.file("out.jsonl");
  {
    using store = await opened(output);
    planPart(store, [recordAt(0)]);
  }
  const log = `${output}.parts/log.jsonl`;
  return { output, log, whole: readFileSync(log, "utf8") };
}

Deno.test("nothing is created before the first row", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  {
    using store = await opened(output);
    assert.deepEqual(store.parts, []);
    const draft = store.draft();
    assert.equal(existsSync(`${output}.parts`), false);
    draft.add(recordAt(0), rowOf(recordAt(0)), "part000001_0_00000000", "{}");
    assert.equal(existsSync(`${output}.parts`), true);
    draft.discard();
  }
  assert.equal(existsSync(`${output}.parts`), false);
});

Deno.test("a planned part is on disk, private, with its size and hash", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  using store = await opened(output);
  const part = planPart(store, [recordAt(0), recordAt(5, "Größe 😀")]);
  const rows = readFileSync(`${output}.parts/part000001.rows.jsonl`);
  assert.equal(part.bytes, rows.length);
  assert.equal(part.sha256, createHash("sha256").update(rows).digest("hex"));
  assert.deepEqual(
    [part.part, part.phase, part.rows, part.prompt_tokens, part.reserved, part.plannedAt],
    ["part000001", "planned", 2, 6, 0.5, NOW],
  );
  if (process.platform !== "win32") {
    assert.equal(statSync(`${output}.parts`).mode & 0o777, 0o700);
    for (const name of readdirSync(`${output}.parts`)) {
      assert.equal(statSync(`${output}.parts/${name}`).mode & 0o777, 0o600, name);
    }
  }
  assert.deepEqual(readParts(output), [part]);
});

Deno.test("a folder whose log was lost is refused, and its rows are kept", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  {
    using store = await opened(output);
    planPart(store, [recordAt(0)]);
  }
  rmSync(`${output}.parts/log.jsonl`);
  const lost = isJournalError(
    /log\.jsonl is missing, and .*out\.jsonl\.parts has the rows of 1 part$/,
  );
  await assert.rejects(() => opened(output), lost);
  assert.throws(() => readParts(output), lost);
  assert.equal(readdirSync(`${output}.parts`).length, 2);
});

Deno.test("a run that was killed during its first draft leaves nothing behind", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const killed = await opened(output);
  killed.draft().add(recordAt(0), rowOf(recordAt(0)), "part000001_0_00000000", "{}");
  (await opened(output))[Symbol.dispose]();
  assert.equal(existsSync(`${output}.parts`), false);
});

Deno.test("a row of unknown cost makes the cost of its part unknown", async () => {
  using folder = temporaryFolder();
  using store = await opened(folder.file("out.jsonl"));
  const draft = store.draft();
  for (const [index, maxCost] of [1, null, 2].entries()) {
    const row = { ...rowOf(recordAt(index)), maxCost };
    draft.add(recordAt(index), row, draft.rowId(recordAt(index), row), "{}");
  }
  assert.equal(draft.maxCost, null);
});

Deno.test("the state of a part follows from its events, in this run and the next", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  {
    using store = await opened(output);
    const { part } = planPart(store, [recordAt(0), recordAt(1)]);
    store.log(part, { type: "uploaded", uploaded: { file: "file-1" } });
    assert.equal(store.log(part, { type: "creating", attempt: 1 }).creatingAt, NOW);
    store.log(part, { type: "refused", error: "too many", code: "429" });
    assert.equal(store.parts[0].phase, "uploaded");
    store.log(part, { type: "creating", attempt: 2 });
    store.log(part, { type: "unknown", error: "reset" });
    assert.equal(store.parts[0].problem, "reset");
    store.log(part, { type: "submitted", job: JOB, adopted: "found" });
    store.log(part, { type: "cancelling", why: "deadline" });
    const { phase, problem, attempts, job, cancelling } = readParts(output)[0];
    assert.deepEqual(
      { phase, problem, attempts, job, cancelling },
      { phase: "submitted", problem: undefined, attempts: 2, job: JOB, cancelling: "deadline" },
    );
  }
  using store = await opened(output);
  assert.deepEqual(store.parts, readParts(output));
  assert.ok(holdsRows(store.parts[0]));
  const [{ part }] = store.parts;
  store.log(part, { type: "ended", job: { ...JOB, status: "completed" } });
  const counts = { answered: 1, failed: 1, left: 0, missing: 0 };
  const collected = store.log(part, { type: "collected", ...counts, cost: 0.1 });
  assert.deepEqual(collected.collected, counts);
  assert.equal(holdsRows(collected), false);
  store.release(collected);
  assert.deepEqual(readdirSync(`${output}.parts`), ["log.jsonl"]);
  assert.equal(store.log(part, { type: "cleaned" }).phase, "cleaned");
});

Deno.test("a part only counts as collected once its results are on disk", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  using store = await opened(output);
  const { part } = planPart(store, [recordAt(0)]);
  const counts = { answered: 1, failed: 0, left: 0, missing: 0, cost: null };
  // Results that cannot be synced.
  mkdirSync(output);
  assert.throws(
    () => store.log(part, { type: "collected", ...counts }),
    isJournalError(/is a folder, not a file/),
  );
  assert.equal(store.parts[0].phase, "planned");
  assert.equal(readParts(output)[0].phase, "planned");
});

Deno.test("cleaning up keeps an abandoned part abandoned: its money is spent", async () => {
  using folder = temporaryFolder();
  using store = await opened(folder.file("out.jsonl"));
  const { part } = planPart(store, [recordAt(0)]);
  store.log(part, { type: "abandoned", why: "resent" });
  assert.equal(store.log(part, { type: "cleaned" }).phase, "abandoned");
});

Deno.test("a torn last line is ignored, and gone after the next step", async () => {
  using folder = temporaryFolder();
  const { output, log, whole } = await plannedPart(folder);
  const next = '{"type":"submitted","at":"2026-01-02T03:04:06.000Z","part":"part000001","job":' +
    '{"id":"batch_1","status":"queued"}}';
  for (let length = 1; length <= next.length; length++) {
    writeFileSync(log, whole + next.slice(0, length));
    // A whole line without its newline counts: the job exists.
    const phase = length === next.length ? "submitted" : "planned";
    assert.equal(readParts(output)[0].phase, phase, `${length} bytes`);
    using store = await opened(output);
    store.log("part000001", { type: "cancelling", why: "user" });
    const types = jsonLines(readFileSync(log, "utf8")).map(({ type }) => type);
    const expected = ["planned", ...phase === "submitted" ? ["submitted"] : [], "cancelling"];
    assert.deepEqual(types, expected, `${length} bytes`);
  }
});

Deno.test("a damaged line is an error with its place and what to do", async () => {
  using folder = temporaryFolder();
  const { output, log, whole } = await plannedPart(folder);
  const at = '"at":"2026-01-02T03:04:06.000Z"';
  const cases: [string, RegExp][] = [
    ["\0\0\0", /log\.jsonl:2 is damaged: it is not a JSON object/],
    ["[]", /log\.jsonl:2 is damaged: it is not a JSON object/],
    [`{"type":"cleaned",${at}}`, /:2 is damaged: its "part" is not the name of a part/],
    ['{"type":"cleaned","part":"part000001"}', /:2 is damaged: its "at" is not a time/],
    [`{"type":"cleaned","part":"part000009",${at}}`, /which was never planned/],
    [`{"type":"ended","part":"part000001",${at},"job":{}}`, /"ended" has no valid "job"/],
    [whole.trim(), /the part part000001 is planned twice/],
    [
      `{"type":"ended","part":"part000001",${at},"job":{"id":"b","status":"failed","problems":"x"}}`,
      /"ended" has no valid "job"/,
    ],
    ...["-1", "1e999", '"5"'].map((amount): [string, RegExp] => [
      whole.trim().replace("part000001", "part000002")
        .replace(/"reserved":[^,}]+/, `"reserved":${amount}`),
      /"planned" has no valid "reserved"/,
    ]),
  ];
  for (const [line, pattern] of cases) {
    writeFileSync(log, `${whole}${line}\n`);
    assert.throws(() => readParts(output), isJournalError(pattern), line);
    await assert.rejects(opened(output), (error: JournalError) => {
      return /Restore that file from a backup/.test(error.hint ?? "");
    });
    assert.equal(readFileSync(log, "utf8"), `${whole}${line}\n`);
  }
});

Deno.test("events of a later version are skipped and stay in the file", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const log = `${output}.parts/log.jsonl`;
  {
    using store = await opened(output);
    planPart(store, [recordAt(0)]);
  }
  const later = '{"type":"moved","part":"part000001","to":{"region":"eu"}}';
  appendFileSync(log, `${later}\n`);
  using store = await opened(output);
  store.log("part000001", { type: "creating", attempt: 1 });
  assert.equal(readParts(output)[0].phase, "creating");
  assert.equal(readFileSync(log, "utf8").split("\n")[1], later);
});

Deno.test("files of drafts that were never planned, and of finished parts, are deleted", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  {
    using store = await opened(output);
    planPart(store, [recordAt(0)]);
    const { part } = planPart(store, [recordAt(1)]);
    // Killed before the release.
    store.log(part, { type: "dropped", why: "refused" });
    const draft = store.draft();
    draft.add(recordAt(2), rowOf(recordAt(2)), draft.rowId(recordAt(2), rowOf(recordAt(2))), "{}");
    writeFileSync(`${output}.parts/notes.txt`, "mine");
    assert.equal(readdirSync(`${output}.parts`).length, 8);
  }
  using store = await opened(output);
  assert.deepEqual(store.parts.map(({ phase }) => phase), ["planned", "dropped"]);
  assert.deepEqual(readdirSync(`${output}.parts`).sort(), [
    "log.jsonl",
    "notes.txt",
    "part000001.records.jsonl",
    "part000001.rows.jsonl",
  ]);
});

Deno.test("a long log of finished parts is shortened, and abandoned money stays", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const { part: _part, ...planned } = await (async () => {
    using store = await opened(output);
    return planPart(store, [recordAt(0)]);
  })();
  const log = `${output}.parts/log.jsonl`;
  const at = new Date(NOW).toISOString();
  const lines = Array.from({ length: 1001 }, (_, i) => {
    const part = `part${String(i + 1).padStart(6, "0")}`;
    const end = i === 3 ? "abandoned" : "dropped";
    return [{ ...planned, type: "planned", at, part }, { type: end, at, part, why: "x" }];
  }).flat();
  writeFileSync(log, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  {
    using store = await opened(output);
    assert.equal(store.parts.length, 501);
    assert.equal(store.parts[0].part, "part000004");
    assert.equal(store.parts[1].part, "part000502");
    assert.deepEqual(readParts(output), store.parts);
    store.log("part000502", { type: "cleaned" });
  }
  // With a live part, nothing is left out.
  const live = lines.with(-1, { type: "status", at, part: "part001001", job: JOB } as never);
  writeFileSync(log, live.map((line) => `${JSON.stringify(line)}\n`).join(""));
  using store = await opened(output);
  assert.equal(store.parts.length, 1001);
});

Deno.test("another process can request the cancellation, which is seen within a second", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  assert.throws(() => requestCancel(output), isJournalError(/nothing was submitted/));
  let now = NOW;
  using store = await openPartStore(output, { nonce: countedNonces(), now: () => now });
  planPart(store, [recordAt(0)]);
  assert.equal(store.isCancelRequested(), false);
  requestCancel(output);
  assert.equal(store.isCancelRequested(), false);
  now += 1000;
  assert.equal(store.isCancelRequested(), true);
  store.clearCancelRequest();
  assert.equal(store.isCancelRequested(), false);
  now += 1000;
  assert.equal(store.isCancelRequested(), false);
});

Deno.test("the input of a part is streamed, any number of times", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  using store = await opened(output);
  const records = Array.from({ length: 3000 }, (_, i) => recordAt(i));
  const input = store.input(planPart(store, records));
  const rows = readFileSync(`${output}.parts/part000001.rows.jsonl`, "utf8");
  assert.ok(rows.length > 1 << 16);
  for (let i = 0; i < 2; i++) assert.equal(await new Response(input.open()).text(), rows);
  assert.deepEqual([input.rows, input.bytes, input.nonce], [3000, rows.length, "part000001"]);
  const reader = input.open().getReader();
  await reader.read();
  await reader.cancel();
  const job = store.log("part000001", { type: "uploaded", uploaded: { file: "file-1" } });
  assert.deepEqual(store.input(job).uploaded, { file: "file-1" });
});

Deno.test("a changed input is never sent as a whole", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  using store = await opened(output);
  const part = planPart(store, Array.from({ length: 3000 }, (_, i) => recordAt(i)));
  const path = `${output}.parts/part000001.rows.jsonl`;
  const rows = readFileSync(path, "utf8");
  writeFileSync(path, rows.replace("_7_", "_8_"));
  const stream = store.input(part).open();
  let received = 0;
  await assert.rejects(async () => {
    for await (const chunk of stream) received += chunk.length;
  }, isJournalError(/part000001\.rows\.jsonl was changed/));
  assert.ok(received < part.bytes);
  writeFileSync(path, rows.slice(1));
  assert.throws(() => store.input(part), isJournalError(/was changed/));
  store.release(part);
  assert.throws(() => store.input(part), isJournalError(/is missing/));
});

Deno.test("a file in the place of the folder is an error", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  writeFileSync(`${output}.parts`, "");
  using store = await opened(output);
  assert.throws(
    () => planPart(store, [recordAt(0)]),
    isJournalError(/out\.jsonl\.parts is a file, not a folder/),
  );
});

Deno.test("a step that cannot be written changes nothing", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  {
    using store = await opened(output);
    planPart(store, [recordAt(0)]);
  }
  const log = `${output}.parts/log.jsonl`;
  using store = await opened(output);
  renameSync(log, `${log}.moved`);
  mkdirSync(log);
  assert.throws(
    () => store.log("part000001", { type: "creating", attempt: 1 }),
    isJournalError(/log\.jsonl is a folder/),
  );
  assert.equal(store.parts[0].phase, "planned");
  rmdirSync(log);
  renameSync(`${log}.moved`, log);
  assert.equal(store.log("part000001", { type: "creating", attempt: 1 }).phase, "creating");
  assert.equal(readParts(output)[0].phase, "creating");
});

Deno.test("a draft that cannot be written is deleted, takes no more rows, and loses nothing", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  using store = await opened(output);
  planPart(store, [recordAt(0)]);
  const draft = store.draft();
  const row = rowOf(recordAt(1));
  draft.add(recordAt(1), row, draft.rowId(recordAt(1), row), "{}");
  const second = store.draft();
  const blocked = `${output}.parts/part000003.records.jsonl`;
  mkdirSync(blocked);
  assert.throws(
    () => second.add(recordAt(2), row, second.rowId(recordAt(2), row), "{}"),
    JournalError,
  );
  assert.throws(() => second.add(recordAt(3), row, "x", "{}"), /takes no more rows/);
  assert.equal(existsSync(`${output}.parts/part000003.rows.jsonl`), false);
  draft.discard();
  assert.deepEqual(store.parts.map(({ phase }) => phase), ["planned"]);
});
