/** The files that `flexllm batch` reads: formats, compression, several files. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import zlib from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { flexllm } from "../support/cli.ts";
import { jsonLines, type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

const RECORDS = Array.from({ length: 12 }, (_, i) => ({
  question: `Question ${i}`,
  id: 9007199254740993n + BigInt(i),
  note: i % 2 === 0 ? "even" : "odd, “quoted”",
}));

function json(record: (typeof RECORDS)[number]): string {
  return JSON.stringify(record, (_, value) => typeof value === "bigint" ? `#${value}#` : value)
    .replace(/"#(\d+)#"/g, "$1");
}

const LINES = RECORDS.map(json);

/** The same records in every format. */
function writeFormats(folder: TemporaryFolder): string[] {
  const files: [name: string, content: string | Buffer][] = [
    ["in.jsonl", `${LINES.join("\n")}\n`],
    ["in.json", `[\n  ${LINES.join(",\n  ")}\n]\n`],
    ["envelope.json", `{"version":1,"data":[${LINES.join(",")}]}`],
    ["in.jsonl.gz", zlib.gzipSync(LINES.join("\n"))],
    ["in.json.zst", zlib.zstdCompressSync(Buffer.from(`[${LINES.join(",")}]`))],
    [
      "in.parquet",
      Buffer.from(parquetWriteBuffer({
        columnData: [
          { name: "question", data: RECORDS.map(({ question }) => question), type: "STRING" },
          { name: "id", data: RECORDS.map(({ id }) => id), type: "INT64" },
          { name: "note", data: RECORDS.map(({ note }) => note), type: "STRING" },
        ],
        rowGroupSize: 5,
      })),
    ],
  ];
  for (const [name, content] of files) writeFileSync(folder.file(name), content);
  return files.map(([name]) => name);
}

/** The part of each result that does not depend on time. */
function results(text: string): string[] {
  return text.trim().split("\n").map((line) =>
    line.replace(/,"(usage|model|endpoint|at|latency|queued)":.*$/, "")
  );
}

Deno.test("the same records have the same results in every format, and each resumes the other", async () => {
  using folder = temporaryFolder();
  const names = writeFormats(folder);
  const args = ["-m", "mock", "-s", "Be brief."];
  let expected: string[] | undefined;
  for (const name of names) {
    const output = folder.file(`${name}.out.jsonl`);
    const { code, stderr } = await flexllm(["batch", folder.file(name), "-o", output, ...args]);
    assert.equal(code, 0, stderr);
    const found = results(readFileSync(output, "utf8"));
    assert.match(found[0], /"metadata":{"id":9007199254740993,"note":"even"}/);
    expected ??= found;
    assert.deepEqual(found, expected, name);
  }
  const first = folder.file("in.jsonl.out.jsonl");
  for (const name of names) {
    const { stderr } = await flexllm(["batch", folder.file(name), "-o", first, ...args]);
    assert.match(stderr, /All 12 records are already done/, name);
  }
});

Deno.test("limits, shards, estimates and failures work for every format", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const server = ["--base-url", mock.baseUrl, "-m", "m"];
  writeFormats(folder);
  for (const name of ["in.json", "in.jsonl.gz", "in.parquet"]) {
    const output = folder.file("out.jsonl");
    writeFileSync(output, "");
    const batch = ["batch", folder.file(name), "-o", output, ...server];
    const run = async (...flags: string[]) => {
      const { code, stdout, stderr } = await flexllm([...batch, ...flags]);
      assert.equal(code, 0, `${name}: ${stderr}`);
      return jsonLines(folder.read("out.jsonl")).map(({ index }) => index).join() + stdout;
    };
    const before = mock.requests.length;
    assert.match(await run("--estimate", "--json"), /"records":\s*12/);
    assert.equal(mock.requests.length, before);
    assert.equal(await run("--shard", "2/5", "--limit", "2"), "2,7");
    assert.equal(await run("--limit", "3"), "0,1,2,7");
    assert.equal(await run("--no-retry-failed"), "0,1,2,3,4,5,6,7,8,9,10,11");
    assert.equal(mock.requests.length - before, 12, name);
  }
});

Deno.test("several files and a quoted pattern are one input, which resumes with further files", async () => {
  using folder = temporaryFolder();
  folder.write("a.jsonl", LINES.slice(0, 4).join("\n"));
  writeFileSync(folder.file("b.jsonl.gz"), zlib.gzipSync(LINES.slice(4, 9).join("\n")));
  folder.write("c.json", `[${LINES.slice(9).join(",")}]`);
  const args = ["-o", "out.jsonl", "-m", "mock"];
  const run = (...inputs: string[]) => flexllm(["batch", ...inputs, ...args], { cwd: folder.path });
  const two = await run("a.jsonl", "b.jsonl.gz");
  assert.match(two.stderr, /Done: 9 of 9 records/);
  const all = await run("a.jsonl", "b.jsonl.gz", "c.json");
  assert.match(all.stderr, /Done: 12 of 12 records .*3 succeeded, 0 failed, 9 already done/);
  assert.match((await run("*.json*")).stderr, /All 12 records are already done/);
  assert.deepEqual(
    jsonLines(folder.read("out.jsonl")).map(({ input }) => input[0].content),
    RECORDS.map(({ question }) => question),
  );
  const swapped = await run("b.jsonl.gz", "a.jsonl", "c.json");
  assert.equal(swapped.code, 1);
  assert.match(swapped.stderr, /made from another input: record 0 differs/);
  const own = await run("a.jsonl", "out.jsonl");
  assert.match(own.stderr, /input and output are the same file: out\.jsonl/);
  const twice = await run("-", "a.jsonl", "-");
  assert.match(twice.stderr, /standard input \(-\) is given twice/);
});

Deno.test("compressed data, JSON and Parquet can be piped in", async () => {
  using folder = temporaryFolder();
  for (const name of writeFormats(folder)) {
    const output = folder.file(`${name}.out.jsonl`);
    const stdin = readFileSync(folder.file(name));
    const { code, stderr } = await flexllm(["batch", "-o", output, "-m", "mock"], { stdin });
    // Only an extension tells an object that contains the records from a line of JSONL.
    assert.equal(code, name === "envelope.json" ? 1 : 0, stderr);
    if (code === 0) assert.equal(results(readFileSync(output, "utf8")).length, 12);
    else assert.match(stderr, /standard input:1: expected a field .*found "version", "data"/);
  }
});

Deno.test("prompts in a text file, with a template or without", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const input = folder.write("in.txt", "Why?\n\nHow?\r\n");
  const args = ["batch", input, "--base-url", mock.baseUrl, "-m", "m", "-c", "1", "-o"];
  assert.equal((await flexllm([...args, folder.file("a.jsonl")])).code, 0);
  const template = ["--template", "Translate: {{text}}"];
  assert.equal((await flexllm([...args, folder.file("b.jsonl"), ...template])).code, 0);
  assert.deepEqual(mock.requests.map(({ messages }) => messages[0].content), [
    "Why?",
    "How?",
    "Translate: Why?",
    "Translate: How?",
  ]);
  assert.deepEqual(jsonLines(folder.read("b.jsonl")).map(({ metadata }) => metadata.text), [
    "Why?",
    "How?",
  ]);
});

Deno.test("answered conversations cause a warning, or are sent without the answer", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const messages = [{ role: "user", content: "Hi" }, { role: "assistant", content: "Hello" }];
  const input = folder.write("in.jsonl", JSON.stringify({ messages }));
  const args = ["batch", input, "--base-url", mock.baseUrl, "-m", "m", "-o"];
  const kept = await flexllm([...args, folder.file("a.jsonl")]);
  assert.match(kept.stderr, /warning: 1 conversation ends with an assistant message/);
  const dropped = await flexllm([...args, folder.file("b.jsonl"), "--drop-answer"]);
  assert.doesNotMatch(dropped.stderr, /warning/);
  assert.deepEqual(mock.requests.map((request) => request.messages.length), [2, 1]);
});

Deno.test("damaged files and ambiguous records send nothing", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const gzip = zlib.gzipSync(LINES.join("\n"));
  writeFileSync(folder.file("cut.jsonl.gz"), gzip.subarray(0, -6));
  folder.write("ok.jsonl", LINES[0]);
  folder.write("cut.json", `[${LINES.join(",")}`);
  folder.write("choices.jsonl", '{"question":"Q","choices":["a","b"]}\n');
  folder.write("labels.jsonl", '{"text":"Good film","label":1}\n{"text":"Bad film","label":0}\n');
  const cases: [inputs: string[], message: RegExp][] = [
    [["ok.jsonl", "cut.jsonl.gz"], /cut\.jsonl\.gz is truncated: the gzip data ends too early/],
    [["cut.json"], /cut\.json:1:\d+: the file ends before the end of the array/],
    [["choices.jsonl"], /"question" and "choices" could both be part of the prompt/],
    [["labels.jsonl"], /:1: expected .* found "text", "label"\n.*1 more\n[^]*{{text}}/],
    [["none*.jsonl"], /no file matches none\*\.jsonl/],
  ];
  for (const [inputs, message] of cases) {
    const { code, stderr } = await flexllm(
      ["batch", ...inputs, "-o", "out.jsonl", "--base-url", mock.baseUrl, "-m", "m"],
      { cwd: folder.path },
    );
    assert.match(stderr, message);
    assert.equal(code, 1);
    assert.ok(!existsSync(folder.file("out.jsonl")) || folder.read("out.jsonl") === "");
  }
  assert.equal(mock.requests.length, 0);
});
