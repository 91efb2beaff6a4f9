/** `flexllm results`: summarizes, filters, shows and converts the results of batches. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { commandLine, flexllm } from "../support/cli.ts";
import { completion, httpAnswer, startRawServer } from "../support/raw_server.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";

function failed(index: number, error_code: string | undefined, error: string) {
  return { index, output: null, status: "error", input: [], error, error_code };
}

function succeeded(index: number) {
  return { index, output: "Yes.", status: "success", input: [] };
}

function lines(records: unknown[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

const RECORDS = [
  succeeded(0),
  ...[7, 3, 9, 1, 4, 8].map((i) =>
    failed(i, "http", `the server answered 400: ${9000 + i} tokens`)
  ),
  failed(2, "http", "the server answered 400: no such\tfield"),
  failed(5, "timeout", "no complete answer within 120 s"),
  failed(6, undefined, "an old file"),
  // Retried: the last line of a record counts.
  failed(10, "timeout", "no complete answer within 120 s"),
  succeeded(10),
  succeeded(11),
  failed(11, "timeout", "no complete answer within 60 s"),
];

Deno.test("results counts the records of a file, each once", async () => {
  using folder = temporaryFolder();
  // A kill tore the last line.
  const file = folder.write("out put.jsonl", `${lines(RECORDS)}\n{"index":12,"out`);
  const { code, stdout, stderr } = await flexllm(["results", file]);
  assert.equal(code, 0);
  assert.match(stderr, /^note: 2 results were replaced by later ones of the same records$/m);
  assert.match(stderr, /^note: the last line of .*out put\.jsonl is incomplete: /m);
  assert.deepEqual(stdout.split("\n"), [
    "12 records: 2 succeeded, 10 failed",
    "  7 × http",
    "  2 × timeout",
    "  1 × unknown",
    `For their messages: flexllm results '${file}' --failed`,
    "",
  ]);
});

Deno.test("--failed groups failures by kind and message, and names the command that retries them", async () => {
  using folder = temporaryFolder();
  const file = folder.write("out.jsonl", lines(RECORDS));
  const { code, stdout } = await flexllm(["results", file, "--failed"]);
  assert.equal(code, 0);
  assert.deepEqual(stdout.split("\n"), [
    "12 records: 2 succeeded, 10 failed",
    "",
    "6 × http: the server answered 400: 9007 tokens",
    "    records 1, 3, 4, 7, 8, …",
    "2 × timeout: no complete answer within 120 s",
    "    records 5, 11",
    "1 × http: the server answered 400: no such field",
    "    record 2",
    "1 × unknown: an old file",
    "    record 6",
    "",
    `To retry them: flexllm batch INPUT -o ${file} --only-failed`,
    "Use the INPUT and the flags, such as -m, of the run that wrote the file.",
    "",
  ]);
  const json = JSON.parse((await flexllm(["results", file, "--failed", "--json"])).stdout);
  const { failures, total, succeeded: good, failed: bad, errors, replaced, retry } = json;
  assert.deepEqual([json.file, total, good, bad, replaced], [file, 12, 2, 10, 2]);
  assert.deepEqual(errors, { http: 7, timeout: 2, unknown: 1 });
  assert.equal(retry, `flexllm batch INPUT -o ${file} --only-failed`);
  assert.deepEqual(failures[1], {
    ...{ error_code: "timeout", message: "no complete answer within 120 s" },
    ...{ count: 2, examples: [5, 11] },
  });
  const plain = JSON.parse((await flexllm(["results", file, "--json"])).stdout);
  assert.deepEqual([plain.failures, plain.retry], [undefined, undefined]);
});

Deno.test("files without failures, without records, or of another kind", async () => {
  using folder = temporaryFolder();
  const good = folder.write("good.jsonl", lines([succeeded(0)]));
  assert.equal(
    (await flexllm(["results", good, "--failed"])).stdout,
    "1 record: 1 succeeded, 0 failed\n",
  );
  const empty = folder.write("empty.jsonl", "");
  assert.equal((await flexllm(["results", empty])).stdout, "0 records: 0 succeeded, 0 failed\n");
  const cases: [file: string, problem: RegExp][] = [
    [folder.write("other.jsonl", '{"q":"Hi"}\n'), /other\.jsonl:1 is not a result of flexllm/],
    [
      folder.write("text.txt", "Hello\nworld\n"),
      /text\.txt:1 is not a result of flexllm: it is not/,
    ],
    [folder.file("missing.jsonl"), /the result file .*missing\.jsonl does not exist/],
    [folder.file("none/*.jsonl"), /none/],
  ];
  for (const [file, problem] of cases) {
    const { code, stderr } = await flexllm(["results", file]);
    assert.equal(code, 1);
    assert.match(stderr, problem);
  }
});

Deno.test("a batch with failures names the command, and that command works", async () => {
  using folder = temporaryFolder();
  await using server = await startRawServer((socket, { body }) =>
    socket.write(
      body.includes("bad") ? httpAnswer(400, '{"error":{"message":"no"}}') : httpAnswer(
        200,
        completion("Yes."),
      ),
    )
  );
  const input = folder.write("in.jsonl", '{"q":"good"}\n{"q":"bad"}\n');
  const { stderr } = await flexllm([
    ...["batch", input, "-o", folder.file("out.jsonl"), "--base-url", server.baseUrl, "-m", "m"],
  ]);
  const [, args] = /^To see why records failed: flexllm (.*)$/m.exec(stderr)!;
  const { stdout } = await flexllm(args.split(" "));
  assert.match(stdout, /^1 × http: the server answered 400: no\n {4}record 1$/m);
});

/** Results as a current batch writes them. */
const ANSWERS = [
  {
    ...{
      index: 0,
      output: "Paris.",
      status: "success",
      parsed: { city: "Paris", size: { km: 105 } },
    },
    input: [{ role: "system", content: "Short." }, { role: "user", content: "Capital of France?" }],
    metadata: { id: "a,1", big: 0 },
    usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
    ...{ model: "gpt", cost: 0.02, latency: 3, finish_reason: "stop" },
  },
  {
    ...{ index: 1, output: "=1+1 and", status: "success" },
    input: [{ role: "user", content: "Count | \u202eforever" }],
    usage: { prompt_tokens: 5, completion_tokens: 100, total_tokens: 105 },
    ...{ model: "gpt", cost: 0.001, latency: 0.5, finish_reason: "length" },
  },
  { ...failed(2, "timeout", "no answer"), input: [{ role: "user", content: "Paris?" }] },
];

/** With a number that a double cannot represent. */
const ANSWER_LINES = lines(ANSWERS).replace('"big":0', '"big":1669700650467246081');

async function results(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await flexllm(["results", ...args]);
  assert.equal(code, 0, stderr);
  return stdout;
}

Deno.test("the summary has tokens, cost, latency, finish reasons and the model", async () => {
  using folder = temporaryFolder();
  const file = folder.write("out.jsonl", ANSWER_LINES);
  // Percentiles are within one percent.
  const shown = (await results(file)).replace("504 ms", "500 ms").replaceAll("2.99 s", "3.00 s");
  assert.deepEqual(shown.split("\n"), [
    "3 records: 2 succeeded, 1 failed",
    "  1 × timeout",
    `For their messages: flexllm results ${file} --failed`,
    "Tokens: 15 in, 102 out",
    "Cost: $0.021",
    "Latency: p50 500 ms, p90 3.00 s, p99 3.00 s, max 3.00 s",
    "Finish reasons: 1 stop, 1 length (cut off)",
    "Model: gpt",
    "",
  ]);
});

Deno.test("filters combine, and apply to every form", async () => {
  using folder = temporaryFolder();
  const file = folder.write("out.jsonl", ANSWER_LINES);
  const cases: [flags: string[], indexes: number[]][] = [
    [["--status", "success"], [0, 1]],
    [["--status", "error"], [2]],
    [["--finish-reason", "length,other"], [1]],
    [["--model", "gpt"], [0, 1]],
    [["--error", "timeout"], [2]],
    [["--latency", ">2s"], [0]],
    [["--latency", "400ms-1s"], [1]],
    [["--cost", "<0.01"], [1]],
    [["--text", "PARIS"], [0, 2]],
    [["--text", "paris", "--text-in", "output"], [0]],
    [["--text", "/no answer$/", "--text-in", "error"], [2]],
    [["--text", "paris", "--status", "success", "--latency", "<=3"], [0]],
    [["--text", "/^Paris\\.$/"], [0]],
    [["--first", "1", "--status", "success"], [0]],
    [["--last", "2"], [1, 2]],
    [["--show", "0,2-9"], [0, 2]],
    [["--show", "all", "--model", "none"], []],
  ];
  for (const [flags, indexes] of cases) {
    const shown = await results(
      file,
      ...["--show", "all"].filter(() => !flags.includes("--show")),
      ...flags,
      "--json",
    );
    assert.deepEqual(
      JSON.parse(shown).map(({ index }: { index: number }) => index),
      indexes,
      `${flags}`,
    );
  }
  assert.equal(await results(file, "--count", "--text", "paris"), "2\n");
  assert.match(await results(file, "--latency", ">2s"), /^1 record: 1 succeeded, 0 failed\n/);
  assert.match(await results(file, "--failed", "--text", "paris"), /1 × timeout: no answer/);
});

Deno.test("a sample is random, but a seed draws the same one", async () => {
  using folder = temporaryFolder();
  const file = folder.write(
    "out.jsonl",
    lines(Array.from({ length: 200 }, (_, i) => succeeded(i))),
  );
  const draw = async (seed: string) => {
    const shown = JSON.parse(await results(file, "--sample", "5", "--seed", seed, "--json"));
    return shown.map(({ index }: { index: number }) => index);
  };
  const first = await draw("1");
  assert.equal(new Set(first).size, 5);
  assert.deepEqual(await draw("1"), first);
  assert.notDeepEqual(await draw("2"), first);
});

Deno.test("a result is shown in full and made printable", async () => {
  using folder = temporaryFolder();
  const file = folder.write("out.jsonl", ANSWER_LINES);
  const shown = await results(file, "--show", "1");
  assert.deepEqual(shown.split("\n").slice(0, 6), [
    "Record 1: succeeded",
    "gpt · length · 500 ms · 5 tokens in, 100 out · $0.001",
    "user",
    "  Count | \ufffdforever",
    "output",
    "  =1+1 and",
  ]);
  const long = folder.write("long.jsonl", lines([{ ...succeeded(0), output: "x".repeat(5000) }]));
  assert.match(await results(long, "--first", "1"), /… 4,000 more characters: --show 0/);
  assert.ok((await results(long, "--show", "0")).includes("x".repeat(5000)));
});

Deno.test("results are converted to CSV, TSV, JSON lines and Markdown", async () => {
  using folder = temporaryFolder();
  const file = folder.write("out.jsonl", ANSWER_LINES);
  const csv = folder.file("out.csv");
  // The words after --to can come first.
  assert.equal(await results("--to", "csv", csv, file), "");
  assert.deepEqual(folder.read("out.csv").split("\n").slice(0, 2), [
    "index,status,input,output,parsed.city,parsed.size.km,metadata.id,metadata.big,model,finish_reason," +
    "usage.prompt_tokens,usage.completion_tokens,cost,latency,error_code,error",
    '0,success,Capital of France?,Paris.,Paris,105,"a,1",1669700650467246081,gpt,stop,10,2,0.02,3,,',
  ]);
  const columns = ["--columns", "index,output,messages,metadata.id"];
  const tsv = await results(file, ...columns, "--status", "success", "--to", "tsv");
  assert.equal(tsv.split("\n")[2].split("\t")[1], "=1+1 and");
  const excel = await results(file, ...columns, "--spreadsheet", "--to", "csv");
  assert.ok(excel.startsWith("\ufeffindex,output"));
  assert.match(excel, /\r\n1,'=1\+1 and,/);
  const rows = jsonLines(await results(file, "--to", "jsonl", "--columns", "index,parsed.*"));
  assert.deepEqual(rows[0], { index: 0, "parsed.city": "Paris", "parsed.size.km": 105 });
  assert.equal(await results(file, "--to", "jsonl"), ANSWER_LINES);
  const markdown = await results(file, "--to", "md", "--columns", "index,input");
  assert.match(markdown, /^\| index \| input \|\n\| --- \| --- \|\n/);
  assert.match(markdown, /\| 1 \| Count \\\| /);
});

Deno.test("a file is not overwritten without --force", async () => {
  using folder = temporaryFolder();
  const file = folder.write("out.jsonl", ANSWER_LINES);
  const csv = folder.write("out.csv", "mine");
  const refused = await flexllm(["results", file, "--to", csv]);
  assert.deepEqual([refused.code, folder.read("out.csv")], [1, "mine"]);
  assert.match(refused.stderr, /already exists\n.*--force/);
  const pattern = folder.file("o*.jsonl");
  const same = await flexllm(["results", pattern, "--to", "jsonl", file, "--force"]);
  assert.match(same.stderr, /is the result file itself/);
  assert.equal(folder.read("out.jsonl"), ANSWER_LINES);
  const json = await results(file, "--to", csv, "--force", "--json", "--columns", "index");
  assert.deepEqual(JSON.parse(json), { file: csv, format: "csv", rows: 3, columns: ["index"] });
  assert.equal(folder.read("out.csv"), "index\n0\n1\n2\n");
});

Deno.test("wrong flags are explained", async () => {
  using folder = temporaryFolder();
  const file = folder.write("out.jsonl", ANSWER_LINES);
  const cases: [args: string[], problem: RegExp][] = [
    [[], /no result file/],
    [["--to", "csv", file], /no result file/],
    [["-", "-"], /given twice/],
    [[file, "--to", "xlsx"], /xlsx is not a format/],
    [[file, "--to", "csv", "--columns", "outptu"], /no column named "outptu"[^]*mean output\?/],
    [[file, "--columns", "index"], /--columns requires --to/],
    [[file, "--latency", "2s"], /Expected a comparison or range/],
    [[file, "--text", "/(/"], /Invalid regular expression/],
    [[file, "--show", "9-7"], /Expected indexes/],
    [[file, "--sample", "2", "--first", "1"], /cannot be used with/],
    [[file, "--to", "csv", "--json"], /both write to standard output/],
  ];
  for (const [args, problem] of cases) {
    const { code, stderr } = await flexllm(["results", ...args]);
    assert.equal(code, 1, `${args}`);
    assert.match(stderr, problem);
  }
});

Deno.test("several files, compressed files, Windows files and standard input", async () => {
  using folder = temporaryFolder();
  const [first, second, third] = ANSWER_LINES.split("\n");
  const part = folder.write("1.jsonl", `\ufeff${first}\r\n\r\n${second}\r\n`);
  const zipped = folder.file("2.jsonl.gz");
  writeFileSync(zipped, gzipSync(`${third}\n`));
  const json = JSON.parse(await results(part, zipped, "--json"));
  assert.deepEqual([json.files, json.total, json.damaged], [[part, zipped], 3, 0]);
  const columns = ["--columns", "file,index", "--to", "csv"];
  assert.equal(
    await results(part, zipped, ...columns),
    `file,index\n${part},0\n${part},1\n${zipped},2\n`,
  );
  const { stdout } = await flexllm(["results", "-", "--count"], { stdin: ANSWER_LINES });
  assert.equal(stdout, "3\n");
});

Deno.test("damaged lines are counted and skipped", async () => {
  using folder = temporaryFolder();
  const [first, second] = ANSWER_LINES.split("\n");
  const file = folder.write(
    "out.jsonl",
    `${first}\n{"index":9,"outp{"index":1}\nnull\n${second}\n`,
  );
  const { code, stdout, stderr } = await flexllm(["results", file, "--count"]);
  assert.deepEqual([code, stdout], [0, "2\n"]);
  assert.match(stderr, /skipped 2 damaged lines: .*:2 \(it is not JSON\), .*:3 \(it is not a JSON/);
});

Deno.test("batch -o - writes results to standard output, and nothing to disk", async () => {
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", '{"q":"one"}\n{"q":"two","id":7}\n');
  const run = await flexllm(["batch", input, "-o", "-", "-m", "mock"], { cwd: folder.path });
  assert.equal(run.code, 0, run.stderr);
  const found = jsonLines(run.stdout).sort((a, b) => a.index - b.index);
  assert.deepEqual(found.map(({ index, status }) => [index, status]), [[0, "success"], [
    1,
    "success",
  ]]);
  assert.deepEqual(found[1].metadata, { id: 7 });
  assert.match(run.stderr, /not saved[^]*Done: 2 of 2 records/);
  assert.doesNotMatch(run.stderr, /Results:|To resume/);
  for (const flag of ["--json", "--only-failed", "--no-wait", "--rerun-changed"]) {
    const refused = await flexllm(["batch", input, "-o", "-", "-m", "mock", flag]);
    assert.deepEqual([refused.code, refused.stdout], [1, ""]);
    assert.ok(refused.stderr.includes(`error: ${flag} `), refused.stderr);
  }
});

Deno.test("a reader that leaves early, such as head, ends the command quietly", {
  ignore: process.platform === "win32",
}, async () => {
  using folder = temporaryFolder();
  // More than a pipe holds.
  const answers = Array.from({ length: 3000 }, (_, i) => ({ ...succeeded(i), input: [] }));
  const file = folder.write("out.jsonl", lines(answers));
  const command = commandLine().map((part) => `'${part}'`).join(" ");
  const script = `{ ${command} results '${file}' --show all; echo "code $?" >&2; } | ` +
    "{ read -r line; echo done; }";
  const { code, stdout, stderr } = await flexllm([], { shell: ["-c", script] });
  assert.deepEqual([code, stdout, stderr], [0, "done\n", "code 0\n"]);
});
