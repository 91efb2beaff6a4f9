/** -c is honored whatever the runtime's own limit is. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { flexllm } from "../support/cli.ts";
import { completion, httpAnswer, startRawServer } from "../support/raw_server.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";

const GOOD = httpAnswer(200, completion("Yes."));
/** More than the 256 that Bun allows by default. */
const CONCURRENCY = 300;

Deno.test("-c 300 has 300 requests in flight, and piped input survives the restart on Bun", async () => {
  using folder = temporaryFolder();
  const waiting: Socket[] = [];
  // Answers no request until all have arrived.
  await using server = await startRawServer((socket) => {
    waiting.push(socket);
    if (waiting.length >= CONCURRENCY) { for (const each of waiting) each.write(GOOD); }
  });
  const stdin = Array.from({ length: CONCURRENCY }, (_, i) => `{"q":"Question ${i}."}\n`).join("");
  const { code, stderr } = await flexllm([
    ...["batch", "-o", folder.file("out.jsonl"), "--base-url", server.baseUrl, "-m", "m"],
    ...["-c", String(CONCURRENCY), "--no-adaptive", "--timeout", "150", "--retry-times", "0"],
  ], { stdin });
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /warning/);
  assert.equal(jsonLines(folder.read("out.jsonl")).length, CONCURRENCY);
});

Deno.test("the configured endpoints have as many requests in flight as their limits allow together", async () => {
  using folder = temporaryFolder();
  const waiting: Socket[] = [];
  await using server = await startRawServer((socket) => {
    waiting.push(socket);
    if (waiting.length >= CONCURRENCY) { for (const each of waiting) each.write(GOOD); }
  });
  const endpoint = `{base_url: "${server.baseUrl}", model: m, concurrency_limit: 150}`;
  folder.write(
    "flexllm_config.yaml",
    `batch:\n  adaptive: false\n  endpoints: [${endpoint}, ${endpoint}]\n`,
  );
  const stdin = Array.from({ length: CONCURRENCY }, (_, i) => `{"q":"Question ${i}."}\n`).join("");
  const { code, stderr } = await flexllm([
    ...["batch", "-o", folder.file("out.jsonl"), "--timeout", "150", "--retry-times", "0"],
  ], { stdin, cwd: folder.path });
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /warning/);
});

Deno.test("a model's own limits apply together with those of the batch: the lower ones", async () => {
  using folder = temporaryFolder();
  const sockets = new Set<Socket>();
  let most = 0;
  await using server = await startRawServer((socket) => {
    sockets.add(socket);
    most = Math.max(most, sockets.size);
    setTimeout(() => {
      sockets.delete(socket);
      socket.write(GOOD);
    }, 20);
  });
  folder.write(
    "flexllm_config.yaml",
    `models:\n  - {id: m, name: small, base_url: "${server.baseUrl}", concurrency_limit: 3}\n`,
  );
  const stdin = Array.from({ length: 12 }, (_, i) => `{"q":"Question ${i}."}\n`).join("");
  for (const [concurrency, expected] of [["8", 3], ["2", 2]] as const) {
    most = 0;
    const { code, stderr } = await flexllm([
      ...["batch", "-o", folder.file(`out${concurrency}.jsonl`), "-m", "small"],
      ...["-c", concurrency, "--no-adaptive"],
    ], { stdin, cwd: folder.path });
    assert.equal(code, 0, stderr);
    assert.equal(most, expected);
  }
});
