/** Output of a batch while it runs and at its end, without a terminal. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { flexllm, start } from "../support/cli.ts";
import { completion, httpAnswer, startRawServer } from "../support/raw_server.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";

function questions(count: number): string {
  return Array.from({ length: count }, (_, i) => `{"q":"Question number ${i}."}\n`).join("");
}

const GOOD = httpAnswer(200, completion("Yes."));
const BAD = httpAnswer(400, '{"error":{"message":"too \\u001b[31mspicy\\u001b[0m"}}');
const BUSY = httpAnswer(503, '{"error":{"message":"busy"}}', { "retry-after-ms": "1" });

/** Rejects every third prompt permanently, and the first attempt of every prompt. */
async function unwillingServer() {
  const asked = new Set<string>();
  return await startRawServer((socket, { body }) => {
    const number = /number (\d+)/.exec(body)![1];
    if (!asked.has(number)) {
      asked.add(number);
      return socket.write(BUSY);
    }
    socket.write(Number(number) % 3 === 0 ? BAD : GOOD);
  });
}

/** Control characters other than line ends. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f]/;

Deno.test("each kind of error is printed once, with its location, and counted at the end", async () => {
  using folder = temporaryFolder();
  await using server = await unwillingServer();
  const { code, stdout, stderr } = await flexllm([
    ...["batch", folder.write("in.jsonl", `\n${questions(12)}`), "-o", folder.file("out.jsonl")],
    ...["--base-url", server.baseUrl, "-m", "m", "-c", "1"],
  ]);
  assert.deepEqual([code, stdout], [3, ""]);
  assert.doesNotMatch(stderr, CONTROL);
  const [place, line, index] = /in\.jsonl:(\d+) \(record (\d+)\)/.exec(stderr)!;
  assert.equal(Number(line), Number(index) + 2, "the first line is blank");
  const first = `${folder.file(place)}: the server answered 400: too [31mspicy [0m`;
  const reported = stderr.split("\n").filter((line) =>
    /^(retrying|failed|Failed|Retried)/.test(line)
  );
  assert.deepEqual(reported, [
    "retrying: the server answered 503: busy",
    `failed: ${first}`,
    `Failed with http 400: 4 records, first ${first}`,
    "Retried: 12 http 503",
  ]);
  assert.match(stderr, /Done: 12 of 12 records .*8 succeeded, 4 failed, 12 retries/);
});

Deno.test("--quiet prints only errors", async () => {
  using folder = temporaryFolder();
  await using server = await unwillingServer();
  const { code, stdout, stderr } = await flexllm([
    ...["batch", folder.write("in.jsonl", questions(12)), "-o", folder.file("out.jsonl")],
    ...["--base-url", server.baseUrl, "-m", "m", "-c", "1", "--quiet"],
  ]);
  assert.deepEqual([code, stdout], [3, ""]);
  const [first, hint, second, ...rest] = stderr.split("\n");
  assert.match(first, /^failed: .*in\.jsonl:\d+ \(record \d+\): the server answered 400: too /);
  assert.match(hint, /^Fix what the server rejected/);
  assert.match(second, /^Failed with http 400: 4 records, first .*in\.jsonl:\d+ \(record \d+\): /);
  assert.deepEqual(rest, [""]);
});

Deno.test("--json prints only the summary on standard output", async () => {
  using folder = temporaryFolder();
  await using server = await unwillingServer();
  const { stdout, stderr } = await flexllm([
    ...["batch", folder.write("in.jsonl", questions(12)), "-o", folder.file("out.jsonl")],
    ...["--base-url", server.baseUrl, "-m", "m", "-c", "1", "--json"],
  ]);
  const [summary, ...others] = jsonLines(stdout);
  assert.deepEqual([summary.succeeded, summary.failed, summary.errors], [8, 4, { http: 4 }]);
  assert.deepEqual(others, []);
  // On a busy machine, progress lines come in between.
  const notes = stderr.replace(/^\d+%.*\n/gm, "");
  assert.match(notes, /^retrying: .*\nfailed: .*\nFix what .*\nDone: 12 of 12 /);
});

Deno.test("without a terminal, progress is a plain line every few seconds", async () => {
  using folder = temporaryFolder();
  let held: Socket | undefined;
  await using server = await startRawServer((socket, { body }) => {
    if (body.includes("number 3.")) held = socket;
    else socket.write(GOOD);
  });
  const args = [
    ...["batch", folder.write("in.jsonl", questions(4)), "-o", folder.file("out.jsonl")],
    ...["--base-url", server.baseUrl, "-m", "m"],
  ];
  await using running = start(args);
  // The server sends the last answer after the line has been written.
  running.process.stderr!.on("data", (text) => String(text).includes("75%") && held?.write(GOOD));
  const { code, stderr } = await running.finished;
  assert.equal(code, 0);
  assert.match(stderr, /^75% {2}3\/4 .*3 ok {2}9 tokens in, 6 out/m);
  assert.doesNotMatch(stderr, CONTROL);
});
