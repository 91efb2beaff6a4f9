/** The events file that a batch writes next to its results. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readEvents } from "../../lib/batch/events/read_events.ts";
import { flexllm } from "../support/cli.ts";
import { completion, httpAnswer, startRawServer } from "../support/raw_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const LIMITED = httpAnswer(429, '{"error":{"message":"slow down"}}', { "retry-after-ms": "50" });
const BAD = httpAnswer(400, '{"error":{"message":"no"}}');
const GOOD = httpAnswer(200, completion("Yes."));

Deno.test("a batch records its progress, and a resumed one adds a run", async () => {
  using folder = temporaryFolder();
  const seen = new Set<string>();
  await using server = await startRawServer((socket, { body }) => {
    const [question] = /Q\d+/.exec(body)!;
    const isFirst = !seen.has(question);
    seen.add(question);
    if (isFirst && question === "Q1") return socket.write(LIMITED);
    const answer = isFirst && question === "Q5" ? BAD : GOOD;
    setTimeout(() => socket.write(answer), 60);
  });
  const lines = Array.from({ length: 8 }, (_, i) => `{"q":"Q${i}"}\n`).join("");
  const args = [
    ...["batch", folder.write("in.jsonl", lines), "-o", folder.file("out.jsonl"), "-q"],
    ...["--base-url", `${server.baseUrl}?key=sk-quiet`, "-m", "m", "-c", "4"],
    ...["-t", "0.5", "--api-key", "sk-hush"],
  ];
  assert.equal((await flexllm(args)).code, 3);
  assert.equal((await flexllm(args)).code, 0);
  const path = folder.file("out.jsonl.events");
  const { code, stdout } = await flexllm(["results", folder.file("out.jsonl"), path, "--count"]);
  assert.deepEqual([code, stdout.trim()], [0, "8"]);
  assert.doesNotMatch(folder.read("out.jsonl.events"), /sk-hush|sk-quiet/);
  const [first, second, ...more] = readEvents(path);
  assert.equal(more.length, 0);
  const { command = "", endpoints, models, records, restored, settings } = first.run;
  assert.match(command, /^flexllm batch .*--base-url '?http:\S+\?…'? .*--api-key …$/);
  assert.deepEqual([models, records, restored], [["m"], 8, 0]);
  assert.deepEqual(endpoints, [server.baseUrl]);
  assert.deepEqual([settings.temperature, settings.concurrency], [0.5, 4]);
  const sum = (values: (number | undefined)[]) =>
    values.reduce<number>((total, value = 0) => total + value, 0);
  const { periods, marks, end } = first;
  assert.equal(sum(periods.map(({ succeeded }) => succeeded)), 7);
  assert.equal(sum(periods.map(({ failed }) => failed?.http)), 1);
  assert.equal(sum(periods.map(({ retried }) => retried?.rate_limit)), 1);
  assert.ok(Math.max(...periods.map(({ in_flight }) => in_flight)) > 0);
  const limits = marks.filter(({ kind }) => kind === "rate_limited");
  assert.deepEqual(limits.map(({ endpoint, count = 1 }) => [endpoint, count]), [
    [server.baseUrl, 1],
  ]);
  assert.deepEqual([end?.outcome, end?.succeeded, end?.failed], ["done", 7, 1]);
  assert.deepEqual([second.run.restored, second.end?.succeeded], [7, 1]);
});

Deno.test("--no-events leaves the events file out", async () => {
  using folder = temporaryFolder();
  const { code } = await flexllm([
    ...["batch", folder.write("in.jsonl", '{"q":"Hi"}\n'), "-o", folder.file("out.jsonl")],
    ...["-m", "mock", "--no-events"],
  ]);
  assert.equal(code, 0);
  assert.equal(existsSync(folder.file("out.jsonl.events")), false);
});
