/** Several files, folders and patterns as one input. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { Journal } from "../../lib/batch/journal/journal.ts";
import { checkInput } from "../../lib/input/check_input.ts";
import { openInput } from "../../lib/input/input_file.ts";
import { pendingRecords } from "../../lib/input/records.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { readInput } from "./read_input.ts";

Deno.test("indexes run on over the files, and each record keeps its file and line", async () => {
  using folder = temporaryFolder();
  const paths = [
    folder.write("a.jsonl", '{"q":"a"}\n\n{"q":"b"}'),
    folder.write("empty.jsonl", ""),
    folder.write("b.csv", "q,n\nc,1\n"),
    folder.write("c.json", '[{"q":"d"}]'),
    folder.write("d.txt", "\ufeffe\n"),
  ];
  assert.deepEqual((await readInput(paths)).records, [
    "0 a.jsonl:1: a",
    "1 a.jsonl:3: b",
    "2 b.csv:2: c",
    "3 c.json:1:2: d",
    "4 d.txt:1: e",
  ]);
  const wrong = folder.write("e.jsonl", '{"q":"x"}\nnot JSON\n');
  await assert.rejects(readInput([...paths, wrong]), /e\.jsonl:2:1: not valid JSON/);
  const table = folder.write("f.csv", "title,n\nc,1\n");
  await assert.rejects(readInput([...paths, table]), /f\.csv: expected a column/);
});

Deno.test("shards and pending records are those of the files joined with cat", async () => {
  using folder = temporaryFolder();
  const lines = Array.from({ length: 30 }, (_, i) => `{"q":"${i}"}\n`);
  const parts = [lines.slice(0, 7), lines.slice(7, 8), [], lines.slice(8, 21), lines.slice(21)];
  const paths = parts.map((part, i) => folder.write(`${i}.jsonl`, part.join("")));
  const joined = await openInput(folder.write("all.jsonl", lines.join("")));
  const split = await openInput(paths);
  const done = [0, 1, 6, 7, 9, 20, 21, 29].map((index) =>
    JSON.stringify({
      ...{ index, output: "x", status: "success" },
      input: [{ role: "user", content: String(index) }],
    })
  );
  const journal = await Journal.open(folder.write("out.jsonl", `${done.join("\n")}\n`));
  for (const shard of [undefined, { index: 0, count: 4 }, { index: 3, count: 4 }]) {
    const [first, second] = [joined, split].map((input) => {
      const check = checkInput(input, journal, { shard });
      const pending = [...pendingRecords(input, { shard }, check)];
      return pending.map(({ index, messages }) => [index, messages]);
    });
    assert.deepEqual(second, first);
    assert.ok(first.length > 0);
  }
  journal.close();
  assert.equal(split.hasGrown(), false);
  appendFileSync(paths[2], lines[0]);
  assert.equal(split.hasGrown(), true);
  joined.close();
  split.close();
});

Deno.test("a folder or pattern stands for its data files in the order of their names", async () => {
  using folder = temporaryFolder();
  mkdirSync(folder.file("data"));
  folder.write("data/b.jsonl", '{"q":"b"}\n');
  folder.write("data/a.csv", "q\na\n");
  folder.write("data/.hidden.jsonl", '{"q":"hidden"}\n');
  folder.write("data/c[1].jsonl", '{"q":"c"}\n');
  const all = ["0 a.csv:2: a", "1 b.jsonl:1: b", "2 c[1].jsonl:1: c"];
  assert.deepEqual((await readInput(folder.file("data"))).records, all);
  assert.deepEqual((await readInput(folder.file("data/*"))).records, all);
  assert.deepEqual((await readInput(folder.file("**/*.csv"))).records, all.slice(0, 1));
  assert.deepEqual((await readInput(folder.file("data/c[1].jsonl"))).records, [
    "0 c[1].jsonl:1: c",
  ]);
  const output = folder.write("data/out.jsonl", '{"index":0}\n');
  folder.write("data/out.jsonl.lock", "");
  assert.deepEqual((await readInput(folder.file("data"), { output })).records, all);
  // The folder with the results of other batches can be an input.
  for (const suffix of ["events", "lock", "state"]) folder.write(`data/b.jsonl.${suffix}`, "{}\n");
  assert.deepEqual((await readInput(folder.file("data"), { output })).records, all);
  assert.deepEqual((await readInput(folder.file("data/*"), { output })).records, all);
  await assert.rejects(readInput(folder.file("*.parquet")), {
    message: /no file matches .*\*\.parquet/,
    hint: /relative to the current directory/,
  });
  folder.write("data/notes.md", "# Notes");
  await assert.rejects(readInput(folder.file("data")), /no prompt for the files of/);
});

Deno.test("compressed files are data whatever their inner name; parentheses in patterns are literal", async () => {
  using folder = temporaryFolder();
  mkdirSync(folder.file("in (1)"));
  writeFileSync(folder.file("in (1)/a.gz"), gzipSync('{"q":"a"}\n'));
  writeFileSync(folder.file("in (1)/b.txt.gz"), gzipSync("b\n"));
  for (const path of ["in (1)", "in (1)/*", "in (1)/*.gz", "**/*.gz"]) {
    assert.equal((await readInput(folder.file(path))).records.length, 2, path);
  }
});

Deno.test("links to folders neither repeat records nor are in the way", async () => {
  if (process.platform === "win32") return;
  using folder = temporaryFolder();
  mkdirSync(folder.file("data"));
  folder.write("data/a.jsonl", '{"q":"a"}\n');
  folder.write("data/b (1).jsonl", '{"q":"b"}\n');
  symlinkSync("../data", folder.file("data/loop"));
  symlinkSync("a.jsonl", folder.file("data/c.jsonl"));
  const all = ["0 a.jsonl:1: a", "1 b (1).jsonl:1: b", "2 c.jsonl:1: a"];
  for (const path of ["data", "data/*", "data/**", "data/**/*.jsonl", "**/*"]) {
    const { records } = await readInput(folder.file(path));
    assert.deepEqual(records, all, path);
  }
});

Deno.test("a file whose name is not UTF-8 cannot be opened, and the error says so", async () => {
  using folder = temporaryFolder();
  // Folders list such names with replacement characters.
  await assert.rejects(readInput(folder.file("a\ufffd.jsonl")), {
    message: /cannot read .*\.jsonl: its name is not UTF-8; rename it$/,
  });
});
