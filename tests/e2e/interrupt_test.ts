/** Batches that are stopped by Ctrl-C, SIGTERM, SIGHUP or SIGKILL. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { readEvents } from "../../lib/batch/events/read_events.ts";
import { seededRandom } from "../../lib/runtime/random.ts";
import { commandLine, flexllm, type Running, start } from "../support/cli.ts";
import { completion, httpAnswer, startRawServer } from "../support/raw_server.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";
import { type WatchedMock, watchedMock } from "../support/watched_mock.ts";

const CONCURRENCY = 8;

function questions(count: number): string {
  return Array.from({ length: count }, (_, i) => `{"q":"Question number ${i}."}\n`).join("");
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 3));
}

/** Waits until the server has received `more` requests, or the process has ended. */
async function asked(mock: WatchedMock, running: Running, more: number): Promise<void> {
  const target = mock.requests.length + more;
  await until(() => mock.requests.length >= target || running.process.exitCode !== null);
}

/** Expects every index once, each with the answer to its own prompt. */
function assertComplete(text: string, count: number): void {
  const records = jsonLines(text);
  assert.deepEqual(records.map(({ index }) => index), Array.from({ length: count }, (_, i) => i));
  for (const { index, status, output, input } of records) {
    assert.equal(status, "success");
    assert.equal(input[0].content, `Question number ${index}.`);
    assert.ok(output.startsWith(`You asked: "Question number ${index}."`), output);
  }
}

Deno.test("SIGKILL at random moments loses nothing and repeats only what was in flight", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ delay: [0.001, 0.02], length: 60, seed: 1 });
  const count = 400;
  const args = [
    ...["batch", folder.write("in.jsonl", questions(count)), "-o", folder.file("out.jsonl")],
    ...["--base-url", mock.baseUrl, "-m", "m", "-c", String(CONCURRENCY)],
  ];
  const random = seededRandom(20261123);
  const kills = 8;
  for (let i = 0; i < kills; i++) {
    await using running = start(args);
    await asked(mock, running, 1 + Math.floor(random() * 70));
    await new Promise((resolve) => setTimeout(resolve, random() * 25));
    running.signal("SIGKILL");
    await running.finished;
  }
  const { code } = await flexllm(args);
  assert.equal(code, 0);
  assertComplete(folder.read("out.jsonl"), count);
  const repeated = mock.requests.length - count;
  assert.ok(repeated <= kills * CONCURRENCY, `${repeated} requests repeated in ${kills} kills`);
  for (const [question, times] of mock.counts()) {
    assert.ok(times <= 1 + kills, `${question} was asked ${times} times`);
  }
  assert.deepEqual(readdirSync(folder.path).sort(), ["in.jsonl", "out.jsonl", "out.jsonl.events"]);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(`${signal} lets requests in flight finish, saves them, and prints how to resume`, async () => {
    using folder = temporaryFolder();
    await using mock = await watchedMock({ delay: 0.25, length: 60 });
    const args = [
      ...["batch", folder.write("in put.jsonl", questions(100)), "-o", folder.file("out.jsonl")],
      ...["--base-url", mock.baseUrl, "-m", "m", "-c", String(CONCURRENCY), "--api-key", "sk-hush"],
    ];
    await using running = start(args);
    await asked(mock, running, CONCURRENCY + 1);
    running.signal(signal);
    const { code, stderr } = await running.finished;
    assert.equal(code, 130);
    assert.match(stderr, /Stopping: waiting for requests in flight/);
    assert.match(stderr, /Interrupted: \d+ of 100 records/);
    assert.match(stderr, /To resume: flexllm batch '.*in put\.jsonl' -o .*--api-key …/);
    assert.ok(!stderr.includes("sk-hush"));
    const saved = jsonLines(folder.read("out.jsonl"));
    assert.equal(saved.length, mock.requests.length, "every request that was sent was saved");
    assert.ok(saved.every(({ status }) => status === "success"));
    assert.deepEqual(readdirSync(folder.path).sort(), [
      "in put.jsonl",
      "out.jsonl",
      "out.jsonl.events",
    ], "no lock");
    const [{ marks, end }] = readEvents(folder.file("out.jsonl.events"));
    assert.ok(marks.some(({ kind }) => kind === "stopped"));
    assert.deepEqual([end?.outcome, end?.succeeded], ["stopped", saved.length]);
  });
}

Deno.test("SIGHUP is ignored under nohup", async () => {
  using folder = temporaryFolder();
  const count = 12;
  // The hangup is sent when the first request arrives.
  await using server = await startRawServer((socket, { number }) => {
    if (number === 0) running.signal("SIGHUP");
    socket.write(httpAnswer(200, completion("Yes.")));
  });
  const args = [
    ...["batch", folder.write("in.jsonl", questions(count)), "-o", folder.file("out.jsonl")],
    ...["--base-url", server.baseUrl, "-m", "m", "-c", "2"],
  ];
  const shell = ["-c", 'trap "" HUP; exec "$@"', "sh", ...commandLine(), ...args];
  await using running = start(args, { shell });
  const { code, stderr } = await running.finished;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Done: 12 of 12 records/);
});

Deno.test("SIGHUP ends a piped chat like SIGTERM", async () => {
  await using server = await startRawServer(() => running.signal("SIGHUP"));
  const args = ["chat", "--base-url", server.baseUrl, "-m", "m"];
  await using running = start(args, { stdin: "Hello\n" });
  const { code } = await running.finished;
  assert.equal(code, 130);
});

Deno.test("a second Ctrl-C aborts requests in flight, and none of them counts as failed", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ delay: [0.05, 5], length: 60, seed: 3 });
  const args = [
    ...["batch", folder.write("in.jsonl", questions(50)), "-o", folder.file("out.jsonl")],
    ...["--base-url", mock.baseUrl, "-m", "m", "-c", String(CONCURRENCY)],
  ];
  await using running = start(args);
  await asked(mock, running, CONCURRENCY + 1);
  const stopping = new Promise<void>((resolve) =>
    running.process.stderr!.on("data", (text) => String(text).includes("Stopping") && resolve())
  );
  running.signal("SIGINT");
  await stopping;
  running.signal("SIGINT");
  const { code, stderr } = await running.finished;
  assert.equal(code, 130);
  assert.match(stderr, /0 failed/);
  assert.ok(!folder.read("out.jsonl").includes('"error"'));
});
