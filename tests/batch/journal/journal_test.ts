import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, statSync, symlinkSync } from "node:fs";
import type { Message } from "../../../mod.ts";
import { Journal } from "../../../lib/batch/journal/journal.ts";
import type { ResultRecord } from "../../../lib/batch/journal/result_line.ts";
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

Deno.test("a reopened journal knows which records are done, failed and missing", async () => {
  using folder = temporaryFolder();
  const path = folder.file("out.jsonl");
  const first = await Journal.open(path);
  first.append([record(0)]);
  first.append([record(2, "error")]);
  first.close();
  const again = await Journal.open(path);
  assert.deepEqual([0, 1, 2].map((i) => again.isDone(i, question(i))), [true, false, false]);
  assert.deepEqual([again.successes, again.errors], [1, 1]);
  assert.equal(again.read(0).output, "Answer 0");
  again.close();
});

Deno.test("the cost includes answers that were replaced", async () => {
  using folder = temporaryFolder();
  const path = folder.file("out.jsonl");
  const cost = async (...records: ResultRecord[]) => {
    const journal = await Journal.open(path);
    journal.append(records);
    const { cost } = journal;
    if (records.length === 0) journal.compact();
    journal.close();
    return cost;
  };
  assert.equal(await cost({ ...record(1, "error"), cost: 1 }, { ...record(0), cost: 2 }), 3);
  assert.equal(await cost({ ...record(1), cost: 4 }), 7);
  assert.equal(await cost(), 7, "before it was put in order");
  assert.equal(await cost(), 7, "after that");
  const expected = [{ ...record(0), cost: 2 }, { ...record(1), cost: 4, spent_before: 1 }];
  assert.deepEqual(jsonLines(folder.read("out.jsonl")), expected);
  // Older files do not have this field.
  folder.write("out.jsonl", lines({ ...record(0), cost: 1 }, { ...record(0), cost: 2 }));
  assert.equal(await cost(), 3);
  // Other programs may write anything.
  const foreign = { ...record(0), cost: "1", spent_before: "1" } as unknown as ResultRecord;
  folder.write("out.jsonl", lines({ ...record(0), cost: 2 }, foreign));
  assert.equal(await cost(), 2);
});

Deno.test("a record is in the file when append() returns", async () => {
  using folder = temporaryFolder();
  const journal = await Journal.open(folder.file("out.jsonl"));
  journal.append([record(0)]);
  assert.deepEqual(jsonLines(folder.read("out.jsonl")), [record(0)]);
  journal.close();
});

Deno.test("a torn last line is removed; a whole one without a newline is completed", async () => {
  using folder = temporaryFolder();
  const whole = lines(record(0), record(1));
  for (
    const torn of [
      '{"index":2,"outp',
      "\0\0\0\0",
      '{"in\0\0\0\0',
      '{"index":2,"outp\0\0',
      '{"index":2}',
      '{"index":2,"output":"é'.slice(0, -1),
    ]
  ) {
    const path = folder.write("out.jsonl", whole + torn);
    const journal = await Journal.open(path);
    journal.append([record(2)]);
    journal.close();
    assert.equal(folder.read("out.jsonl"), whole + lines(record(2)));
  }
  const path = folder.write("out.jsonl", whole.trimEnd());
  const journal = await Journal.open(path);
  journal.append([record(2)]);
  assert.equal(journal.read(2).output, "Answer 2");
  journal.close();
  assert.equal(folder.read("out.jsonl"), whole + lines(record(2)));
});

Deno.test("a file with other content is refused and left unchanged", async () => {
  using folder = temporaryFolder();
  for (
    const [text, line] of [["my diary\nday two\n", 1], [`${lines(record(0))}{"a":1}\n`, 2]] as const
  ) {
    const path = folder.write("out.jsonl", text);
    await assert.rejects(Journal.open(path), (error: Error) => {
      assert.match(error.message, new RegExp(`out\\.jsonl:${line} is not a result of flexllm`));
      return true;
    });
    assert.equal(folder.read("out.jsonl"), text);
  }
});

Deno.test("a changed input is reported by index; field order does not matter", async () => {
  using folder = temporaryFolder();
  const path = folder.write("out.jsonl", lines(record(0), record(1)));
  const journal = await Journal.open(path);
  const swapped = [{ content: "Question 0", role: "user" }];
  assert.equal(journal.isDone(0, swapped), true);
  assert.throws(() => journal.isDone(1, question(99)), {
    code: "journal_mismatch",
    index: 1,
  });
  assert.equal(journal.isDone(1, question(99), true), false);
  journal.append([{ ...record(1), input: question(99), output: "new" }]);
  journal.compact();
  journal.close();
  assert.deepEqual(jsonLines(folder.read("out.jsonl")).map(({ output }) => output), [
    "Answer 0",
    "new",
  ]);
});

Deno.test("compact() sorts the file and leaves one line per record, preferring successes", async () => {
  using folder = temporaryFolder();
  const path = folder.write(
    "out.jsonl",
    lines(record(3), record(1, "error"), record(0), record(1), record(2), record(2, "error")),
  );
  const journal = await Journal.open(path);
  journal.compact();
  journal.close();
  assert.equal(folder.read("out.jsonl"), lines(record(0), record(1), record(2), record(3)));
  assert.deepEqual(readdirSync(folder.path), ["out.jsonl"]);
});

Deno.test("compact() sorts records that are longer than its windows", async () => {
  using folder = temporaryFolder();
  const path = folder.file("out.jsonl");
  const journal = await Journal.open(path);
  const count = 300;
  const all = Array.from({ length: count }, (_, i) => {
    const output = `${i} é `.repeat(i % 50 === 0 ? 400_000 : 3000);
    return { ...record((i * 7) % count), output };
  });
  for (const each of all) journal.append([each]);
  journal.compact();
  journal.close();
  const sorted = all.toSorted((a, b) => a.index - b.index);
  assert.equal(folder.read("out.jsonl"), lines(...sorted));
});

Deno.test("compact() does not rewrite a sorted file", async () => {
  using folder = temporaryFolder();
  const path = folder.write("out.jsonl", lines(record(0), record(1)));
  const before = statSync(path).ino;
  const journal = await Journal.open(path);
  journal.append([record(2)]);
  journal.compact();
  journal.close();
  assert.equal(statSync(path).ino, before);
});

Deno.test("compact() preserves permissions and links", async () => {
  using folder = temporaryFolder();
  const target = folder.write("real.jsonl", lines(record(1), record(0)));
  chmodSync(target, 0o640);
  symlinkSync(target, folder.file("link.jsonl"));
  const journal = await Journal.open(folder.file("link.jsonl"));
  journal.compact();
  journal.close();
  assert.equal(folder.read("real.jsonl"), lines(record(0), record(1)));
  assert.equal(statSync(target).mode & 0o777, 0o640);
});

Deno.test("a journal has one writer at a time", async () => {
  using folder = temporaryFolder();
  const path = folder.file("out.jsonl");
  const first = await Journal.open(path);
  first.append([record(0)]);
  await assert.rejects(Journal.open(path), /another flexllm process is writing/);
  first.close();
  const second = await Journal.open(path);
  assert.equal(second.successes, 1);
  second.close();
  assert.deepEqual(readdirSync(folder.path), ["out.jsonl"]);
});

Deno.test("openToRead() changes nothing, and works while another process writes the file", async () => {
  using folder = temporaryFolder();
  assert.equal(await Journal.openToRead(folder.file("none.jsonl")), undefined);
  const writing = await Journal.open(folder.file("out.jsonl"));
  writing.append([record(0)]);
  const whole = folder.read("out.jsonl");
  const last = JSON.stringify(record(1, "error"));
  for (const rest of ["", last.slice(0, 20), last]) {
    folder.write("out.jsonl", whole + rest);
    const reading = await Journal.openToRead(folder.file("out.jsonl"));
    assert.deepEqual([reading?.isDone(0, question(0)), reading?.successes], [true, 1]);
    assert.equal(reading?.state(1) === "error", rest === last);
    reading?.close();
    assert.equal(folder.read("out.jsonl"), whole + rest);
  }
  folder.write("out.jsonl", whole);
  writing.close();
  assert.deepEqual(readdirSync(folder.path), ["out.jsonl"]);
  await assert.rejects(Journal.openToRead(folder.path), { code: "journal" });
});

Deno.test("the lock file of a dead process does not block the next one", async () => {
  using folder = temporaryFolder();
  folder.write("out.jsonl.lock", "");
  const journal = await Journal.open(folder.file("out.jsonl"));
  journal.close();
});

Deno.test("close() removes an empty file only if it created it", async () => {
  using folder = temporaryFolder();
  (await Journal.open(folder.file("new.jsonl"))).close();
  assert.equal(existsSync(folder.file("new.jsonl")), false);
  const path = folder.write("old.jsonl", "");
  (await Journal.open(path)).close();
  assert.equal(existsSync(path), true);
});

Deno.test("opening reports what is wrong with the output path", async () => {
  using folder = temporaryFolder();
  await assert.rejects(
    Journal.open(folder.file("no/such/out.jsonl")),
    /the folder .*no\/such .* does not exist/,
  );
  await assert.rejects(Journal.open(folder.path), /is a folder, not a file/);
});

Deno.test("a file of the Python tool is resumed", async () => {
  using folder = temporaryFolder();
  // As json.dumps writes it: spaces after separators, null fields, metadata as an object.
  const path = folder.write(
    "out.jsonl",
    '{"index": 0, "output": "Un", "status": "success", "input": [{"role": "user", "content": "Question 0"}], "metadata": {"id": 1}, "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}\n' +
      '{"index": 2, "output": null, "status": "error", "input": [{"role": "user", "content": "Question 2"}], "error": "timeout"}\n',
  );
  const journal = await Journal.open(path);
  assert.deepEqual([0, 1, 2].map((i) => journal.isDone(i, question(i))), [true, false, false]);
  journal.append([record(2)]);
  journal.append([record(1)]);
  journal.compact();
  journal.close();
  const all = jsonLines(folder.read("out.jsonl"));
  assert.deepEqual(all.map(({ index, status }) => [index, status]), [
    [0, "success"],
    [1, "success"],
    [2, "success"],
  ]);
  assert.deepEqual(all[0].metadata, { id: 1 });
});

Deno.test("a result without its input is sent again", async () => {
  using folder = temporaryFolder();
  const path = folder.write("out.jsonl", '{"index":0,"output":"x","status":"success"}\n');
  const journal = await Journal.open(path);
  assert.equal(journal.isDone(0, question(0), true), false);
  journal.close();
});
