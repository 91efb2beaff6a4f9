/** `flexllm mock` as a user runs it: access log, keys, recordings and mistakes. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { commandEnv, commandLine, flexllm, type Running, start } from "../support/cli.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";

const BODY = { model: "m", messages: [{ role: "user", content: "Hello there" }] };

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function baseUrlOf(running: Running): Promise<string> {
  await until(() => /listening on \S+\n/.test(running.stdout()));
  return running.stdout().match(/http:\S+/)![0];
}

async function stop(running: Running) {
  running.signal("SIGINT");
  const finished = await running.finished;
  assert.equal(finished.code, 0, finished.stderr);
  return finished;
}

function post(baseUrl: string, body: unknown): Promise<Response> {
  return fetch(`${baseUrl}/chat/completions`, { method: "POST", body: JSON.stringify(body) });
}

Deno.test("mock prints a plain line per request with --access-log", async () => {
  await using running = start([
    "mock",
    "-p",
    "0",
    "-l",
    "40",
    "--access-log",
    "-m",
    "a",
    "-m",
    "b",
  ]);
  const baseUrl = await baseUrlOf(running);
  const models = await (await fetch(`${baseUrl}/models`)).json();
  assert.deepEqual(models.data.map(({ id }: { id: string }) => id), ["a", "b"]);
  await (await post(baseUrl, { ...BODY, stream: true })).text();
  await (await post(baseUrl, { ...BODY, n: "x" })).text();
  const { stdout } = await stop(running);
  const [, list, stream, invalid] = stdout.split("\n");
  assert.match(list, /^\d\d:\d\d:\d\d 200 .* GET {2}\/v1\/models$/);
  assert.match(stream, / 200 .* 3 → 10 {4}POST \/v1\/chat\/completions {2}m {2}stream$/);
  assert.match(invalid, / 400 .* POST \/v1\/chat\/completions {2}m {2}Invalid type for 'n'/);
});

Deno.test("every line of --access-log json is JSON", async () => {
  await using running = start(["mock", "-p", "0", "--access-log=json", "--api-key", "test-key"]);
  const stderr: string[] = [];
  running.process.stderr!.on("data", (chunk) => stderr.push(String(chunk)));
  await until(() => /listening on \S+\n/.test(stderr.join("")));
  const baseUrl = stderr.join("").match(/http:\S+/)![0];
  const asked = await flexllm(["ask", "hi", "-m", "x", "--base-url", baseUrl], {
    env: { FLEXLLM_API_KEY: "test-key" },
  });
  assert.equal(asked.code, 0, asked.stderr);
  const refused = await flexllm(["ask", "hi", "-m", "x", "--base-url", baseUrl], {
    env: { FLEXLLM_API_KEY: "wrong-key" },
  });
  assert.match(refused.stderr, /Incorrect API key provided/);
  const { stdout } = await stop(running);
  const [first, second] = jsonLines(stdout);
  assert.deepEqual([first.model, first.status, first.streamed, first.outcome], [
    "x",
    200,
    true,
    "complete",
  ]);
  assert.ok(typeof first.duration === "number" && !Number.isNaN(Date.parse(first.time)));
  assert.deepEqual([second.status, second.path], [401, "/v1/chat/completions"]);
  assert.doesNotMatch(stdout, /test-key|wrong-key/);
});

Deno.test("mock keeps answering when the reader of its access log is gone", async () => {
  const [command, ...first] = commandLine();
  const child = spawn(command, [...first, "mock", "-p", "0", "--access-log"], {
    env: { ...commandEnv(), HOME: "/nonexistent", NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  try {
    const [ready] = await once(child.stdout!, "data");
    const baseUrl = String(ready).match(/http:\S+/)![0];
    child.stdout!.destroy();
    for (let i = 0; i < 5; i++) {
      const response = await post(baseUrl, BODY);
      assert.equal(response.status, 200);
      await response.text();
    }
    // With Deno's own `kill`, no exit code would be reported.
    process.kill(child.pid!, "SIGINT");
    const [code] = await once(child, "exit");
    assert.equal(code, 0);
  } finally {
    child.kill("SIGKILL");
  }
});

Deno.test("a recording of flexllm's own traffic is replayed byte for byte", async () => {
  using folder = temporaryFolder();
  const file = folder.file("tape.jsonl");
  await using real = start(["mock", "-p", "0", "--seed", "-3"]);
  const realUrl = await baseUrlOf(real);
  const ask = async (baseUrl: string) => {
    const json = ["ask", "hi", "-m", "x", "--base-url", baseUrl, "--json"];
    const streamed = await flexllm(["ask", "What is Python?", "-m", "x", "--base-url", baseUrl]);
    const raw = await (await post(baseUrl, { ...BODY, stream: true })).text();
    const whole = JSON.parse((await flexllm(json)).stdout);
    return [streamed.stdout, raw, whole.content, whole.usage];
  };
  await using recorder = start(["mock", "-p", "0", "--record", realUrl, file, "--access-log"]);
  const recorded = await ask(await baseUrlOf(recorder));
  assert.match(String(recorded[0]), /^You asked: "What is Python\?"/);
  const finished = await stop(recorder);
  assert.match(finished.stderr, new RegExp(`^Recording ${realUrl} to ${file}\\.\n`));
  assert.equal(finished.stdout.match(/recorded$/gm)?.length, 3);
  await stop(real);
  await using replay = start(["mock", "-p", "0", "--replay", file, "--no-timing"]);
  assert.deepEqual(await ask(await baseUrlOf(replay)), recorded);
  const other = await flexllm(["ask", "Another", "-m", "x", "--base-url", await baseUrlOf(replay)]);
  assert.equal(other.code, 3);
  assert.match(other.stderr, /no recorded answer.*nearest.*What is Python\?.*"Another"/s);
  assert.match((await stop(replay)).stderr, /^Replaying 3 exchanges from /);
});

Deno.test("mock reports flags that don't fit together, and files that it cannot use", async () => {
  using folder = temporaryFolder();
  const missing = folder.file("none.jsonl");
  const other = folder.write("answers.yaml", "- text: Hi\n");
  const url = "https://api.example.com/v1";
  const cases: [string[], RegExp][] = [
    [["--record", url], /--record takes a URL and a file, got "https.*\nFor example: flexllm mock/],
    [["--record", url, "a", "b"], /--record takes a URL and a file/],
    [["--record", "api.example.com", missing], /not an http or https URL/],
    [["--record", url, other], /answers\.yaml exists and is not a recording\nChoose another file/],
    [
      ["--record", url, missing, "--seed", "7"],
      /'--record <url> <file>' cannot be used with.*--seed/,
    ],
    [["--replay", missing], /cannot read .*none\.jsonl: it does not exist\nMake a recording first/],
    [["--replay", other], /answers\.yaml:1: not valid JSON/],
    [["--replay", missing, "-d", "1s"], /'--replay <file>' cannot be used with.*--delay/],
    [["--replay", missing, "--speed", "0"], /Expected a number > 0/],
    [["--replay", missing, "--speed", "2", "--no-timing"], /cannot be used with/],
    [["--speed", "10"], /--speed needs a recording to replay\nAdd it: .*--replay/],
    [["--no-timing"], /--no-timing needs a recording/],
    [["--no-repeat"], /--no-repeat needs a recording/],
    [["--only-new"], /--only-new needs a server to record\nAdd it: .*--record/],
    [["--api-key", "two words"], /Expected printable ASCII characters/],
    [["--access-log=xml"], /Allowed choices are text, json/],
    [["--responses", missing], /cannot read .*none\.jsonl: it does not exist/],
  ];
  for (const [args, pattern] of cases) {
    const { code, stderr } = await flexllm(["mock", "-p", "0", ...args]);
    assert.equal(code, 1, args.join(" "));
    assert.match(stderr, pattern, args.join(" "));
  }
});
