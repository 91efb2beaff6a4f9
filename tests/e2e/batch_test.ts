import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { flexllm, ROOT, start } from "../support/cli.ts";
import { completion, httpAnswer, startRawServer } from "../support/raw_server.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

function questions(count: number): string {
  return Array.from({ length: count }, (_, i) => `{"q":"Question number ${i}","id":${i}}\n`).join(
    "",
  );
}

Deno.test("the README's first command works, reports when all is done, and sends only missing records", async () => {
  using folder = temporaryFolder();
  const output = folder.file("answers.jsonl");
  const args = ["batch", `${ROOT}examples/questions.jsonl`, "-o", output, "-m", "mock"];
  const first = await flexllm(args);
  assert.deepEqual([first.code, first.stdout], [0, ""]);
  assert.match(first.stderr, /Done: 60 of 60 records .*60 succeeded, 0 failed/);
  const records = jsonLines(folder.read("answers.jsonl"));
  assert.deepEqual(records.map(({ index }) => index), Array.from({ length: 60 }, (_, i) => i));
  const { output: text, latency, queued, at, input, ...rest } = records[0];
  assert.match(text, /^You asked: "What is Python\?"/);
  assert.deepEqual(input, [{ role: "user", content: "What is Python?" }]);
  assert.ok(latency >= 0 && queued >= 0);
  assert.equal(new Date(at).toISOString(), at);
  assert.deepEqual(rest, {
    attempts: 1,
    endpoint: "http://mock.invalid/v1",
    index: 0,
    status: "success",
    metadata: { id: "q001" },
    usage: rest.usage,
    model: "mock",
    cost: 0,
    finish_reason: "stop",
  });

  const second = await flexllm(args);
  assert.equal(second.code, 0);
  assert.match(second.stderr, /All 60 records are already done; nothing was sent\./);

  const lines = folder.read("answers.jsonl").split("\n");
  lines.splice(10, 3);
  folder.write("answers.jsonl", lines.join("\n"));
  const third = await flexllm(args);
  assert.match(third.stderr, /3 succeeded, 0 failed, 57 already done/);
  assert.equal(jsonLines(folder.read("answers.jsonl")).length, 60);
});

Deno.test("every example input runs", async () => {
  using folder = temporaryFolder();
  for (const name of ["questions", "instructions", "conversations"]) {
    const args = ["batch", `${ROOT}examples/${name}.jsonl`, "-o", folder.file(`${name}.jsonl`)];
    const { code } = await flexllm([...args, "-m", "mock"]);
    assert.equal(code, 0, name);
  }
});

Deno.test("batch reads standard input and prints the summary as JSON", async () => {
  using folder = temporaryFolder();
  const args = ["batch", "-o", folder.file("out.jsonl"), "-m", "mock", "--json", "--quiet"];
  const { code, stdout, stderr } = await flexllm(args, { stdin: questions(7) });
  assert.deepEqual([code, stderr], [0, ""]);
  const { total, succeeded, interrupted, cost, unpriced } = JSON.parse(stdout);
  assert.deepEqual([total, succeeded, interrupted, cost, unpriced], [7, 7, false, 0, 0]);
});

Deno.test("flags reach the requests", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const { code } = await flexllm([
    ...["batch", folder.write("in.jsonl", questions(3)), "-o", folder.file("out.jsonl")],
    ...["--base-url", mock.baseUrl, "-m", "m", "-s", "Be brief.", "-t", "0", "--max-tokens", "7"],
    ...[
      "-c",
      "2",
      "--max-qps",
      "1000",
      "--retry-times",
      "1",
      "--timeout",
      "30",
      "--thinking",
      "on",
      "--no-return-usage",
    ],
  ]);
  assert.equal(code, 0);
  for (const { messages, chat_template_kwargs: { thinking }, ...body } of mock.requests) {
    assert.deepEqual([body.model, body.temperature, body.max_tokens], ["m", 0, 7]);
    assert.equal(thinking, true);
    assert.deepEqual(messages[0], { role: "system", content: "Be brief." });
  }
  assert.equal(jsonLines(folder.read("out.jsonl"))[0].usage, undefined);
});

Deno.test("the batch section of the configuration applies, and flags override it", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  folder.write(
    "flexllm_config.yaml",
    `models: [{id: m, base_url: "${mock.baseUrl}"}]\nbatch: {temperature: 0.5, max_tokens: 9}\n`,
  );
  folder.write("in.jsonl", questions(1));
  const args = ["batch", "in.jsonl", "-o", "out.jsonl", "--max-tokens", "4"];
  const { code } = await flexllm(args, { cwd: folder.path });
  assert.equal(code, 0);
  assert.deepEqual([mock.requests[0].temperature, mock.requests[0].max_tokens], [0.5, 4]);
});

Deno.test("bad input is reported, nothing is sent, and no file is created", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const good = folder.write("good.jsonl", questions(2));
  const out = folder.file("out.jsonl");
  mkdirSync(folder.file("folder.jsonl"));
  folder.write("diary.jsonl", "Dear diary\n");
  const cases: [args: string[], message: RegExp][] = [
    [[], /error: no output file\nSpecify one with -o: flexllm batch input.jsonl -o output.jsonl/],
    [
      [good],
      /error: no output file\nSpecify one with -o: flexllm batch \S*\.jsonl -o output.jsonl/,
    ],
    [[good, "new.jsonl"], /Specify one with -o: flexllm batch \S+ -o new\.jsonl/],
    [[good, "-o", "out.json"], /must end in \.jsonl, got out\.json/],
    [
      [good, "-o", folder.file("no/out.jsonl")],
      /the folder .*no of the output file does not exist\nCreate it first: mkdir -p/,
    ],
    [[good, "-o", folder.file("folder.jsonl")], /is a folder, not a file/],
    [[good, "-o", `${good}/out.jsonl`], /cannot write .*good\.jsonl\/out\.jsonl: ENOTDIR/],
    [[good, "-o", folder.file(`${"x".repeat(300)}.jsonl`)], /the output file is too long/],
    [
      [good, "-o", folder.file("diary.jsonl")],
      /diary\.jsonl:1 is not a result of flexllm: it is not JSON/,
    ],
    [
      [folder.file("none.jsonl"), "-o", out],
      /the input file .*none\.jsonl does not exist\nAn input has one JSON object per line, such as /,
    ],
    [[folder.write("empty.jsonl", ""), "-o", out], /empty\.jsonl contains no records/],
    [["-o", out], /standard input contains no records/],
    [
      [folder.write("bad.jsonl", '{"q":"a"}\n{"q":"b"}\n{"q":"c",}\n'), "-o", out],
      /bad\.jsonl:3:10: not valid JSON .*\nNothing was sent/,
    ],
    [
      [folder.write("other.jsonl", '{"body":"a"}\n'), "-o", out],
      /other\.jsonl:1: expected a field "messages"/,
    ],
    [[good, "-o", out, "-c", "0"], /'-c, --concurrency <count>' argument '0' is invalid/],
    [[good, "-o", out, "--max-qps", "-1"], /Expected a number > 0/],
    [
      [good, "-o", out, "--temperatur", "1"],
      /unknown option '--temperatur'\n\(Did you mean --temperature\?\)/,
    ],
    [[good, "extra", "-o", out], /the input file extra does not exist/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await flexllm([
      ...["batch", ...args, "--base-url", mock.baseUrl, "-m", "m"],
    ]);
    assert.match(stderr, message);
    assert.deepEqual([code, stdout], [1, ""], stderr);
    assert.ok(!/\n\s+at /.test(stderr), stderr);
    assert.ok(!existsSync(out));
  }
  assert.equal(mock.requests.length, 0);
  assert.equal(folder.read("diary.jsonl"), "Dear diary\n");
});

Deno.test("an unwritable output is reported before anything is sent", async () => {
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", questions(2));
  const output = folder.write("out.jsonl", "");
  chmodSync(output, 0o400);
  // Root can write anywhere.
  if (process.getuid?.() === 0) return;
  const { code, stderr } = await flexllm(["batch", input, "-o", output, "-m", "mock"]);
  assert.equal(code, 1);
  assert.match(stderr, /no permission to write/);
});

Deno.test("a failed record is in the result file, the exit code is 3, and the next run sends it again", async () => {
  using folder = temporaryFolder();
  let good = false;
  await using mock = await watchedMock({ length: 50 });
  await using server = await startRawServer(async (socket, { body }) => {
    if (!good && body.includes("number 2")) {
      return socket.write(httpAnswer(400, '{"error":{"message":"too spicy"}}'));
    }
    const response = await fetch(`${mock.baseUrl}/chat/completions`, { method: "POST", body });
    socket.write(httpAnswer(200, await response.text()));
  });
  const args = [
    ...["batch", folder.write("in.jsonl", questions(5)), "-o", folder.file("out.jsonl")],
    ...["--base-url", server.baseUrl, "-m", "m"],
  ];
  const first = await flexllm(args);
  assert.equal(first.code, 3);
  assert.match(
    first.stderr,
    /failed: .*in\.jsonl:3 \(record 2\): the server answered 400: too spicy/,
  );
  assert.match(first.stderr, /4 succeeded, 1 failed/);
  assert.match(first.stderr, /To retry failed records: flexllm batch/);
  const failed = jsonLines(folder.read("out.jsonl"))[2];
  assert.deepEqual([failed.index, failed.status, failed.output, failed.metadata], [
    2,
    "error",
    null,
    { id: 2 },
  ]);
  good = true;
  const second = await flexllm(args);
  assert.equal(second.code, 0);
  assert.match(second.stderr, /1 succeeded, 0 failed, 4 already done/);
});

Deno.test("a refused key stops the batch immediately and is never printed", async () => {
  using folder = temporaryFolder();
  const key = "sk-very-secret-key";
  await using server = await startRawServer((socket) =>
    socket.write(httpAnswer(401, `{"error":{"message":"bad key ${key}"}}`))
  );
  const { code, stdout, stderr } = await flexllm([
    ...["batch", folder.write("in.jsonl", questions(500)), "-o", folder.file("out.jsonl")],
    ...["--base-url", server.baseUrl, "-m", "m", "--api-key", key, "--verbose"],
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /error: the server answered 401/);
  assert.ok(!(stdout + stderr).includes(key), stderr);
  assert.ok(server.requests.length <= 20);
  assert.deepEqual(readdirSync(folder.path), ["in.jsonl"]);
});

Deno.test("a changed input stops with its index, or is redone with --rerun-changed", async () => {
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", questions(5));
  const args = ["batch", input, "-o", folder.file("out.jsonl"), "-m", "mock"];
  await flexllm(args);
  writeFileSync(input, questions(5).replace("number 3", "number three"));
  const stopped = await flexllm(args);
  assert.equal(stopped.code, 1);
  assert.match(
    stopped.stderr,
    /out\.jsonl was made from another input: record 3 differs/,
  );
  const redone = await flexllm([...args, "--rerun-changed"]);
  assert.equal(redone.code, 0);
  assert.match(redone.stderr, /1 succeeded, 0 failed, 4 already done/);
  assert.match(folder.read("out.jsonl"), /number three/);
});

Deno.test("--skip-invalid skips bad lines, which are sent once they are fixed", async () => {
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", '{"q":"a"}\noops\n{"q":"c"}\n');
  const args = ["batch", input, "-o", folder.file("out.jsonl"), "-m", "mock", "--skip-invalid"];
  const first = await flexllm(args);
  assert.equal(first.code, 0);
  assert.match(first.stderr, /warning: skipped 1 unusable input line\n/);
  writeFileSync(input, '{"q":"a"}\n{"q":"b"}\n{"q":"c"}\n');
  const second = await flexllm(args);
  assert.match(second.stderr, /1 succeeded, 0 failed, 2 already done/);
  assert.deepEqual(jsonLines(folder.read("out.jsonl")).map(({ index }) => index), [0, 1, 2]);
});

Deno.test("two processes cannot write one result file", async () => {
  using folder = temporaryFolder();
  // The first process has no answer before it is killed.
  let holds = true;
  let wake = () => {};
  const asked = new Promise<void>((resolve) => wake = resolve);
  await using server = await startRawServer((socket) => {
    wake();
    if (!holds) socket.write(httpAnswer(200, completion("Yes.")));
  });
  const input = folder.write("in.jsonl", questions(40));
  const args = [
    ...["batch", input, "-o", folder.file("out.jsonl"), "--base-url", server.baseUrl, "-m", "m"],
  ];
  await using first = start([...args, "-c", "2", "--timeout", "600"]);
  await asked;
  const second = await flexllm(args);
  assert.equal(second.code, 1);
  assert.match(second.stderr, /another flexllm process is writing/);
  first.signal("SIGKILL");
  await first.finished;
  holds = false;
  const third = await flexllm([...args, "-c", "40"]);
  assert.equal(third.code, 0, "the lock went with the killed process");
});

Deno.test("removing the output during a run is an error, and the results are saved", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ delay: 0.1 });
  const input = folder.write("in.jsonl", questions(300));
  const output = folder.file("out.jsonl");
  const args = ["batch", input, "-o", output, "--base-url", mock.baseUrl, "-m", "m", "-c", "5"];
  await using running = start(args);
  while (mock.requests.length < 20) await new Promise((resolve) => setTimeout(resolve, 10));
  rmSync(output);
  const { code, stderr } = await running.finished;
  assert.equal(code, 1);
  assert.match(
    stderr,
    /was moved, removed or replaced while the batch ran\nAll answers so far are in .*Run the same command again/,
  );
  assert.ok(jsonLines(folder.read("out.jsonl")).length >= 15);
});

Deno.test("truncating the output during a run is an error", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ delay: 0.1 });
  const input = folder.write("in.jsonl", questions(300));
  const output = folder.file("out.jsonl");
  const args = ["batch", input, "-o", output, "--base-url", mock.baseUrl, "-m", "m", "-c", "5"];
  await using running = start(args);
  while (mock.requests.length < 20) await new Promise((resolve) => setTimeout(resolve, 10));
  truncateSync(output, 10);
  const { code, stderr } = await running.finished;
  assert.equal(code, 1);
  assert.match(stderr, /was truncated by another program while the batch ran/);
});

Deno.test("a named pipe can be the input", async () => {
  using folder = temporaryFolder();
  const pipe = folder.file("pipe");
  execFileSync("mkfifo", [pipe]);
  const finished = flexllm(["batch", pipe, "-o", folder.file("out.jsonl"), "-m", "mock"]);
  await writeFile(pipe, questions(5));
  const { code, stderr } = await finished;
  assert.equal(code, 0, stderr);
  assert.equal(jsonLines(folder.read("out.jsonl")).length, 5);
});

Deno.test("a server that answers no request stops the batch", async () => {
  using folder = temporaryFolder();
  const page = httpAnswer(200, "<html>Hello</html>", { "content-type": "text/html" });
  await using server = await startRawServer((socket) => socket.write(page));
  const { code, stdout, stderr } = await flexllm([
    ...["batch", folder.write("in.jsonl", questions(500)), "-o", folder.file("out.jsonl")],
    ...["--base-url", server.baseUrl, "-m", "m", "-c", "4", "--json"],
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /Stopped: \d+ of 500 records/);
  assert.match(stderr, /error: the server answered with a web page/);
  assert.ok(server.requests.length < 30, `${server.requests.length} requests`);
  assert.equal(JSON.parse(stdout).succeeded, 0);
});

Deno.test("all records wait for a rate limit and none fails", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ rps: 20 });
  const { code, stderr } = await flexllm([
    ...["batch", folder.write("in.jsonl", questions(50)), "-o", folder.file("out.jsonl")],
    ...["--base-url", mock.baseUrl, "-m", "m", "-c", "20", "--retry-times", "1"],
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /50 succeeded, 0 failed/);
});

Deno.test("a lone surrogate in a record does not block the result file", async () => {
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", '{"q":"half \\ud83d"}\n{"q":"whole"}\n');
  const args = ["batch", input, "-o", folder.file("out.jsonl"), "-m", "mock"];
  assert.equal((await flexllm(args)).code, 0);
  const { code, stderr } = await flexllm(args);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /All 2 records are already done/);
});

Deno.test("an output that is not a regular file with one name is refused", async () => {
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", questions(1));
  symlinkSync("/dev/null", folder.file("null.jsonl"));
  linkSync(folder.write("a.jsonl", ""), folder.file("b.jsonl"));
  symlinkSync("nowhere/x.jsonl", folder.file("dangling.jsonl"));
  const cases: [string, RegExp][] = [
    ["null.jsonl", /is not a regular file/],
    ["b.jsonl", /has more than one name/],
    ["dangling.jsonl", /the folder .*nowhere of the output file does not exist/],
  ];
  for (const [name, pattern] of cases) {
    const { code, stderr } = await flexllm(["batch", input, "-o", folder.file(name), "-m", "mock"]);
    assert.equal(code, 1);
    assert.match(stderr, pattern);
  }
});

Deno.test("a batch stops if the server only answers with rate limits", async () => {
  using folder = temporaryFolder();
  const body = '{"error":{"message":"Too many requests."}}';
  const headers = { "content-type": "application/json", "retry-after": "1" };
  await using server = await startRawServer((socket) =>
    socket.write(httpAnswer(429, body, headers))
  );
  const args = ["batch", "-o", folder.file("out.jsonl"), "-m", "m", "--base-url", server.baseUrl];
  const limits = [["--max-wait", "3"], ["--retry-times", "0"]];
  for (const flags of limits) {
    const { code, stderr } = await flexllm([...args, ...flags], { stdin: questions(60) });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^Stopped: \d+ of 60 records/m);
    assert.match(stderr, /^error: .*slow down|^error: .*429/m);
  }
  assert.ok(jsonLines(folder.read("out.jsonl")).length < 60);
});

Deno.test("a batch whose server never answered stops after ten failures", async () => {
  using folder = temporaryFolder();
  let sent = 0;
  await using server = await startRawServer((socket) => {
    sent++;
    socket.write(httpAnswer(500, "{}"));
  });
  const args = ["batch", "-o", folder.file("out.jsonl"), "-m", "m", "--base-url", server.baseUrl];
  const flags = ["-c", "10", "--retry-times", "1", "--json"];
  const { code, stdout } = await flexllm([...args, ...flags], { stdin: questions(60) });
  assert.equal(code, 1);
  const { failed, retries } = JSON.parse(stdout);
  assert.ok(failed >= 10 && failed <= 20, `${failed} failed`);
  assert.ok(retries <= 20 && sent <= 40, `${retries} retries, ${sent} requests`);
});

Deno.test("answers from another model cause a warning, but not another name of the same model", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const run = (model: string, limit: number, baseUrl = mock.baseUrl) =>
    flexllm([
      ...["batch", folder.write("in.jsonl", questions(6)), "-o", folder.file("out.jsonl")],
      ...["--base-url", baseUrl, "-m", model, "--limit", `${limit}`],
    ]);
  await run("qwen3", 2);
  assert.doesNotMatch((await run("org/qwen3", 3)).stderr, /warning/);
  const other =
    /^warning: .*out\.jsonl has 3 answers from qwen3, org\/qwen3; this run uses llama\. To/m;
  assert.match((await run("llama", 4)).stderr, other);
  assert.match(
    (await run("phi", 4)).stderr,
    /warning: .* has 4 answers from .*All 4 records are already done/s,
  );

  await using alias = await startRawServer((socket) =>
    socket.write(httpAnswer(200, completion("Hello.")))
  );
  const first = await flexllm([
    "batch",
    "-o",
    folder.file("alias.jsonl"),
    "--limit",
    "1",
    "-m",
    "default",
    "--base-url",
    alias.baseUrl,
  ], { stdin: questions(2) });
  assert.equal(first.code, 0, first.stderr);
  const second = await flexllm([
    "batch",
    "-o",
    folder.file("alias.jsonl"),
    "-m",
    "default",
    "--base-url",
    alias.baseUrl,
  ], { stdin: questions(2) });
  assert.match(second.stderr, /1 succeeded, 0 failed, 1 already done/);
  assert.doesNotMatch(second.stderr, /warning/);
});

Deno.test("--skip-failed reports what it skips", async () => {
  using folder = temporaryFolder();
  await using server = await startRawServer((socket, { body }) =>
    socket.write(
      body.includes("number 1") ? httpAnswer(400, "{}") : httpAnswer(200, completion("A")),
    )
  );
  const args = ["batch", "-o", folder.file("out.jsonl"), "-m", "m", "--base-url", server.baseUrl];
  assert.equal((await flexllm(args, { stdin: questions(3) })).code, 3);
  const { code, stderr } = await flexllm([...args, "--skip-failed"], { stdin: questions(3) });
  assert.equal(code, 0);
  assert.match(
    stderr,
    /^1 failed earlier and was skipped, the other 2 are already done; nothing/,
  );
});

Deno.test("a forbidden prompt fails alone; a key that is forbidden everything stops the batch", async () => {
  using folder = temporaryFolder();
  let all = false;
  await using server = await startRawServer((socket, { body }) =>
    socket.write(
      all || body.includes("number 0")
        ? httpAnswer(403, '{"error":{"message":"not that"}}')
        : httpAnswer(200, completion("A")),
    )
  );
  const args = ["batch", "-o", folder.file("out.jsonl"), "-m", "m", "--base-url", server.baseUrl];
  for (const runs of ["first", "again"]) {
    const { code, stderr } = await flexllm([...args, "-c", "1"], { stdin: questions(20) });
    assert.equal(code, 3, `${runs}: ${stderr}`);
    assert.match(stderr, /^Done: 20 of 20 .* 1 failed/m);
  }
  all = true;
  const forbidden = [...args, "-o", folder.file("all.jsonl")];
  const { code, stderr } = await flexllm(forbidden, { stdin: questions(60) });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^Stopped: (1\d|2\d) of 60 records.*\n[^]*error: the server answered 403: not that\nNo key was sent/m,
  );
  const json = await flexllm([...forbidden, "--json", "--quiet"], { stdin: questions(60) });
  assert.deepEqual(JSON.parse(json.stdout).stopped_by, {
    code: "authentication",
    message: "the server answered 403: not that",
  });
});

Deno.test("a batch with only unanswerable records left still finishes", async () => {
  using folder = temporaryFolder();
  await using server = await startRawServer((socket, { body }) =>
    socket.write(
      /number [1-3]\d/.test(body) ? httpAnswer(403, "{}") : httpAnswer(200, completion("A")),
    )
  );
  const args = ["batch", "-o", folder.file("out.jsonl"), "-m", "m", "--base-url", server.baseUrl];
  for (const runs of ["first", "again"]) {
    const { code, stdout } = await flexllm([...args, "--json"], { stdin: questions(40) });
    assert.equal(code, 3, runs);
    const { failed, stopped_by } = JSON.parse(stdout);
    assert.deepEqual([failed, stopped_by], [30, null], runs);
  }
});

Deno.test("a record without a prompt is reported with its line and field, and nothing is sent", async () => {
  using folder = temporaryFolder();
  const records = '{"q":"one"}\n{"q":" "}\n{"instruction":"","input":null}\n';
  const args = [
    "batch",
    folder.write("in.jsonl", records),
    "-o",
    folder.file("o.jsonl"),
    "-m",
    "mock",
  ];
  const { code, stderr } = await flexllm(args);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /in\.jsonl:2: q: expected text, got an empty string\n.*in\.jsonl:3: instruction: expected text, got an empty string\n/,
  );
  const template = await flexllm([...args, "--template", "{{q}}", "--limit", "2"]);
  assert.match(template.stderr, /in\.jsonl:2: the template produces an empty prompt/);
});

Deno.test("--schema warns about existing answers from a run without it", async () => {
  using folder = temporaryFolder();
  const args = [
    ...["batch", folder.write("in.jsonl", questions(3)), "-o", folder.file("out.jsonl")],
    ...["-m", "mock", "--limit"],
  ];
  await flexllm([...args, "2"]);
  const schema = ["--schema", folder.write("s.json", '{"type":"object"}')];
  const { stderr } = await flexllm([...args, "3", ...schema]);
  assert.match(
    stderr,
    /^warning: .*out\.jsonl has 2 answers from a run without --schema\. To/,
  );
  await flexllm([
    "batch",
    folder.file("in.jsonl"),
    "-o",
    folder.file("new.jsonl"),
    "-m",
    "mock",
    ...schema,
  ]);
  const again = await flexllm([
    "batch",
    folder.file("in.jsonl"),
    "-o",
    folder.file("new.jsonl"),
    "-m",
    "mock",
    ...schema,
  ]);
  assert.doesNotMatch(again.stderr, /warning/);
});
