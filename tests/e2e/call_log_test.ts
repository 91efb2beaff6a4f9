/** `--log-level` and `--log-file`: JSON lines of calls, for ask, chat, batch and serve. */
import assert from "node:assert/strict";
import { existsSync, renameSync } from "node:fs";
import { flexllm, start } from "../support/cli.ts";
import { until } from "../support/chats.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

const KEY = "sk-verysecret123";

Deno.test("ask logs to stderr, or to a file; the answer is unchanged", async () => {
  using home = temporaryFolder();
  const options = { env: { HOME: home.path, FLEXLLM_API_KEY: KEY }, cwd: home.path };
  await using mock = await watchedMock({ length: 30 });
  const args = ["ask", "Hello!", "-m", "m", "--base-url", mock.baseUrl];
  const plain = await flexllm([...args, "--log-level", "debug"], options);
  assert.equal(plain.code, 0, plain.stderr);
  const [attempt, call] = jsonLines(plain.stderr);
  assert.deepEqual([attempt.event, attempt.status, attempt.id], ["attempt", 200, call.id]);
  assert.deepEqual([call.event, call.level, call.outcome], ["call", "info", "success"]);
  assert.doesNotMatch(plain.stdout, /"event"/);
  const silent = await flexllm([...args, "--log-level", "warn"], options);
  assert.equal(silent.stderr, "");
  const env = { ...options.env, FLEXLLM_LOG_FILE: "calls.log" };
  const filed = await flexllm([...args, "--log-content"], { ...options, env });
  assert.equal(filed.stderr, "");
  const [line] = jsonLines(home.read("calls.log"));
  assert.equal(line.input, '[{"role":"user","content":"Hello!"}]');
  assert.equal(line.output, filed.stdout.trimEnd());
  assert.doesNotMatch(home.read("calls.log"), new RegExp(KEY));
});

Deno.test("a batch logs every record and every attempt; piped chat logs every message", async () => {
  using home = temporaryFolder();
  const options = { env: { HOME: home.path }, cwd: home.path };
  home.write("in.jsonl", ["a", "b", "c"].map((prompt) => JSON.stringify({ prompt })).join("\n"));
  await using mock = await watchedMock({ length: 30 });
  const target = ["-m", "m", "--base-url", mock.baseUrl, "--log-file", "calls.log"];
  const args = ["batch", "in.jsonl", "-o", "out.jsonl", ...target, "-q"];
  const { code, stderr } = await flexllm([...args, "--log-level", "debug"], options);
  assert.equal(code, 0, stderr);
  const lines = jsonLines(home.read("calls.log"));
  const indexes = (event: string) =>
    lines.filter((line) => line.event === event).map(({ index }) => index).sort();
  assert.deepEqual(indexes("call"), [0, 1, 2]);
  assert.deepEqual(indexes("attempt"), [0, 1, 2]);
  await flexllm(["chat", ...target], { ...options, stdin: "one\ntwo\n" });
  assert.equal(jsonLines(home.read("calls.log")).length, lines.length + 2);
});

Deno.test("a failed call is logged at the level error", async () => {
  using home = temporaryFolder();
  const options = { env: { HOME: home.path }, cwd: home.path };
  const args = ["ask", "x", "-m", "m", "--base-url", "http://127.0.0.1:1/v1", "--api-key", KEY];
  const log = ["--retry-times", "1", "--log-level", "error", "--log-file", "calls.log"];
  assert.equal((await flexllm([...args, ...log], options)).code, 3);
  const [{ level, outcome, errorCode, attempts }] = jsonLines(home.read("calls.log"));
  assert.deepEqual([level, outcome, errorCode, attempts], ["error", "error", "connection", 2]);
  assert.doesNotMatch(home.read("calls.log"), new RegExp(KEY));
});

Deno.test("the gateway logs requests with the fields of its access log, and follows a moved file", async () => {
  using home = temporaryFolder();
  const options = { env: { HOME: home.path }, cwd: home.path };
  const args = ["serve", "-m", "mock", "-p", "0", "--log-file", "calls.log"];
  await using gateway = start([...args, "--log-level", "debug"], options);
  await until(() => /listening on \S+/.test(gateway.stdout()));
  const [, url] = /listening on (\S+)/.exec(gateway.stdout())!;
  const request = (model: string) =>
    fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model, messages: [{ role: "user", content: "private words" }] }),
    }).then((response) => response.text());
  await request("mock");
  await request("unknown");
  const log = () => existsSync(home.file("calls.log")) ? home.read("calls.log") : "";
  await until(() => log().split("\n").length === 4);
  const lines = jsonLines(log());
  assert.deepEqual(lines.map(({ event, level }) => [event, level]), [
    ["attempt", "debug"],
    ["call", "info"],
    ["call", "warn"],
  ]);
  const [attempt, call] = lines;
  assert.deepEqual([attempt.id, attempt.endpoint], [call.id, call.endpoint]);
  assert.equal(attempt.status, 200);
  assert.match(attempt.headers["content-type"], /^application\/json/);
  assert.deepEqual([call.path, call.route, call.status], ["/v1/chat/completions", "mock", 200]);
  assert.doesNotMatch(log(), /private words/);
  // As logrotate does.
  renameSync(home.file("calls.log"), home.file("calls.log.old"));
  await request("mock");
  await until(() => log().split("\n").length === 3);
  gateway.signal("SIGTERM");
  assert.equal((await gateway.finished).code, 0);
});

Deno.test("wrong settings are refused before anything is sent", async () => {
  using home = temporaryFolder();
  home.write("in.jsonl", '{"prompt":"a"}');
  const run = (args: string[], env = {}) =>
    flexllm(args, { env: { HOME: home.path, ...env }, cwd: home.path });
  const ask = ["ask", "x", "-m", "mock"];
  const cases: [args: string[], message: RegExp, env?: Record<string, string>][] = [
    [[...ask, "--log-level", "loud"], /Allowed choices are error, warn, info, debug/],
    [ask, /FLEXLLM_LOG_LEVEL: expected one of error, warn, info, debug, got "loud"/, {
      FLEXLLM_LOG_LEVEL: "loud",
    }],
    [[...ask, "--log-content"], /--log-content requires --log-file or --log-level/],
    [[...ask, "--log-level", "info", "--log-max-size", "1GB"], /requires --log-file/],
    [[...ask, "--log-file", "a.log", "--log-max-size", "1kB"], /expected at least 64kB/],
    [[...ask, "--log-file", "no/a.log"], /no\/a\.log: its folder does not exist/],
    [
      ["batch", "in.jsonl", "-o", "out.jsonl", "-m", "mock", "--log-file", "./out.jsonl"],
      /the log file is also the input or output: out\.jsonl/,
    ],
    [
      ["batch", "in.jsonl", "-o", "out.jsonl", "-m", "mock", "--log-file", "./in.jsonl"],
      /the log file is also the input or output: in\.jsonl/,
    ],
  ];
  for (const [args, message, env] of cases) {
    const { code, stderr } = await run(args, env);
    assert.equal(code, 1, args.join(" "));
    assert.match(stderr, message);
  }
});
