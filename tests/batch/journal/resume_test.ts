/** Checking records against a journal, ready-made lines, and compacting files of several runs. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import type { Message } from "../../../mod.ts";
import { Journal } from "../../../lib/batch/journal/journal.ts";
import { journalLine } from "../../../lib/batch/journal/line_encoder.ts";
import type { ResultRecord } from "../../../lib/batch/journal/result_line.ts";
import { checkInput } from "../../../lib/input/check_input.ts";
import { openInput } from "../../../lib/input/input_file.ts";
import { pendingRecords } from "../../../lib/input/records.ts";
import { jsonLines, temporaryFolder } from "../../support/temporary_folder.ts";

function question(index: number): Message[] {
  return [{ role: "user", content: `Question ${index}` }];
}

function record(index: number, status: "success" | "error" = "success"): ResultRecord {
  return { index, output: `Answer ${index}`, status, input: question(index) };
}

function lines(...records: ResultRecord[]): string {
  return records.map((line) => `${JSON.stringify(line)}\n`).join("");
}

Deno.test("check() compares an input once, and state() needs none afterwards", async () => {
  using folder = temporaryFolder();
  const path = folder.write("out.jsonl", lines(record(0), record(1, "error"), record(2)));
  const journal = await Journal.open(path);
  assert.deepEqual([0, 1, 2, 3].map((i) => journal.check(i, question(i === 2 ? 99 : i))), [
    "done",
    "new",
    "changed",
    "new",
  ]);
  assert.deepEqual([0, 1, 2, 3].map((i) => journal.state(i)), [
    "success",
    "error",
    "success",
    "none",
  ]);
  let reads = 0;
  const watched = { toJSON: () => reads++ };
  assert.equal(journal.check(0, watched), "done");
  assert.equal(journal.check(1, watched), "new");
  journal.append([record(3)]);
  assert.equal(journal.check(3, watched), "done");
  assert.equal(reads, 0, "neither is the input of a record that this run wrote");
  assert.equal(journal.check(2, watched), "changed");
  assert.equal(reads, 1);
  journal.close();
});

Deno.test("only the lines of pending records are read again", async () => {
  using folder = temporaryFolder();
  const count = 2000;
  const long = "é".repeat(1000);
  const text = Array.from({ length: count }, (_, i) => `{"q":"${i} ${long}"}\n`).join("\n");
  const input = await openInput(folder.write("in.jsonl", `\ufeff${text}`));
  const pendingIndexes = [0, 700, 701, count - 1];
  const done = Array.from({ length: count }, (_, i) => i)
    .filter((i) => !pendingIndexes.includes(i));
  const results = done.map((i): ResultRecord => ({
    ...record(i),
    input: [{ role: "user", content: `${i} ${long}` }],
  }));
  const journal = await Journal.open(folder.write("out.jsonl", lines(...results)));
  const check = checkInput(input, journal, {});
  assert.deepEqual([check.total, check.pending], [count, pendingIndexes.length]);
  const positions: number[] = [];
  const [file] = input.files;
  const watchedFile = {
    ...file,
    read(buffer: Buffer, position: number) {
      positions.push(position / 2 ** 20);
      return file.read!(buffer, position);
    },
  };
  const watched = { ...input, files: [watchedFile] };
  const pending = [...pendingRecords(watched, {}, check)];
  assert.deepEqual(pending.map(({ index }) => index), pendingIndexes);
  assert.deepEqual(
    pending.map(({ location }) => location),
    pendingIndexes.map((i) => `${input.name}:${2 * i + 1}`),
  );
  assert.deepEqual(
    pending.map(({ messages }) => messages[0].content),
    pendingIndexes.map((i) => `${i} ${long}`),
  );
  assert.deepEqual(positions, [0, 1, 3], "chunks without a pending record are not read");
  journal.close();
  input.close();
});

Deno.test("ready-made lines are written byte for byte, with the cost of earlier answers", async () => {
  using folder = temporaryFolder();
  const path = folder.write("out.jsonl", lines({ ...record(1, "error"), cost: 2 }));
  const journal = await Journal.open(path);
  // Spaces and field order differ from ours, which shows that the line was not encoded again.
  const foreign = '{"index": 0, "status": "success", "output": "é", "input": []}';
  const replacing = '{"index": 1, "status": "success", "output": "x", "cost": 3} ';
  journal.appendLines([
    { index: 0, status: "success", json: Buffer.from(foreign) },
    { index: 1, status: "success", cost: 3, json: Buffer.from(replacing) },
    journalLine(record(2)),
  ]);
  assert.deepEqual([journal.successes, journal.cost], [3, 5]);
  assert.equal(journal.read(0).output, "é");
  journal.compact();
  journal.close();
  const [first, second, third] = folder.read("out.jsonl").split("\n");
  assert.equal(first, foreign);
  assert.deepEqual(JSON.parse(second), { ...JSON.parse(replacing), spent_before: 2 });
  assert.deepEqual(JSON.parse(third), record(2));
});

Deno.test("a file of any number of runs in any order is compacted to one line per record", async () => {
  using folder = temporaryFolder();
  const line = fc.record({ index: fc.nat(40), failed: fc.boolean(), size: fc.nat(9000) });
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 80 }), fc.nat(80), async (all, split) => {
      const records = all.map(({ index, failed, size }): ResultRecord => ({
        ...record(index, failed ? "error" : "success"),
        output: "x".repeat(size),
      }));
      const journal = await Journal.open(
        folder.write("out.jsonl", lines(...records.slice(0, split))),
      );
      journal.append(records.slice(split));
      journal.compact();
      journal.close();
      const best = new Map<number, ResultRecord>();
      for (const each of records) {
        const before = best.get(each.index);
        if (before?.status !== "success" || each.status === "success") best.set(each.index, each);
      }
      const expected = [...best.values()].toSorted((a, b) => a.index - b.index);
      assert.deepEqual(jsonLines(folder.read("out.jsonl")), expected);
    }),
    { numRuns: 40 },
  );
});

Deno.test("a file of many far-apart runs is compacted through small windows", async () => {
  using folder = temporaryFolder();
  const [workers, perWorker, stride] = [60, 20, 5000];
  // Each worker has written its own range, far from the others.
  const records = Array.from({ length: workers * perWorker }, (_, i) => {
    const [round, worker] = [Math.floor(i / workers), i % workers];
    return { ...record(worker * stride + round), output: "x".repeat(i % 7 === 0 ? 9000 : 300) };
  });
  const journal = await Journal.open(folder.write("out.jsonl", lines(...records)));
  journal.compact();
  journal.close();
  const sorted = records.toSorted((a, b) => a.index - b.index);
  assert.equal(folder.read("out.jsonl"), lines(...sorted));
});
