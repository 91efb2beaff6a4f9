/** Batches through a provider's batch API, as a user runs them. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { flexllm, start } from "../support/cli.ts";
import { type ProviderMock, providerMock } from "../support/provider_mock.ts";
import { jsonLines, type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

function questions(count: number, from = 0): string {
  return Array.from({ length: count }, (_, i) => `{"q":"Question ${from + i}."}\n`).join("");
}

/** The arguments of a batch with `count` records. */
function batchOf(folder: TemporaryFolder, mock: ProviderMock, count: number): string[] {
  return [
    ...["batch", folder.write("in.jsonl", questions(count)), "-o", folder.file("out.jsonl")],
    ...["-m", "m", "--base-url", mock.baseUrl],
  ];
}

const PROVIDER = ["--via", "provider", "--poll-interval", "50ms"];

/** Expects every index once, each with the answer to its own prompt. */
function assertComplete(folder: TemporaryFolder, count: number): void {
  const records = jsonLines(folder.read("out.jsonl"));
  assert.deepEqual(records.map(({ index }) => index), Array.from({ length: count }, (_, i) => i));
  for (const { index, status, output } of records) {
    assert.equal(status, "success");
    assert.ok(output.startsWith(`You asked: "Question ${index}."`), output);
  }
}

async function assertBilledOnce(mock: ProviderMock, rows: number): Promise<void> {
  const { totals } = await mock.ledger();
  assert.equal(totals.billed, rows);
  assert.equal(totals.billed_twice, 0);
}

Deno.test("a provider batch has the result lines of a live one", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock();
  const args = batchOf(folder, mock, 130);
  using _ = mock.running();
  const { code, stderr } = await flexllm([...args, ...PROVIDER]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Done: 130 of 130 records in [\d.]+ s: 130 succeeded, 0 failed\n/);
  assertComplete(folder, 130);
  await assertBilledOnce(mock, 130);
  const live = args.with(3, folder.file("live.jsonl"));
  assert.equal((await flexllm(live)).code, 0);
  const lines = (name: string) =>
    jsonLines(folder.read(name)).map(({ latency: _, cost: __, ...line }) => line);
  const [a, b] = [lines("out.jsonl"), lines("live.jsonl")];
  for (const key of ["index", "output", "status", "input", "usage", "model", "finish_reason"]) {
    assert.deepEqual(a.map((line) => line[key]), b.map((line) => line[key]), key);
  }
  const again = await flexllm([...args, ...PROVIDER]);
  assert.match(again.stderr, /All 130 records are already done; nothing was sent/);
  assert.equal(again.code, 0);
});

Deno.test("--no-wait submits and exits with 5; the same command collects, and live runs refuse", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock();
  const args = batchOf(folder, mock, 12);
  const submitted = await flexllm([...args, ...PROVIDER, "--no-wait", "--json"]);
  assert.equal(submitted.code, 5, submitted.stderr);
  assert.match(submitted.stderr, /^Submitted: 12 rows in 1 part; it expires in 2\d h( \d+ min)?\n/);
  assert.match(submitted.stderr, /To see the jobs: flexllm batch status /);
  assert.match(submitted.stderr, /To collect the results: flexllm batch .*--via provider/);
  assert.doesNotMatch(submitted.stderr, /collect the results: .*--no-wait/);
  const json = JSON.parse(submitted.stdout);
  assert.deepEqual([json.submitted, json.left, json.parts.length], [12, 0, 1]);
  assert.equal(json.parts[0].job, (await mock.ledger()).jobs[0].id);

  await mock.advance(0.5);
  const again = await flexllm([...args, ...PROVIDER, "--no-wait"]);
  assert.equal(again.code, 5, "still running");
  const live = await flexllm(args);
  assert.equal(live.code, 1);
  assert.match(live.stderr, /error: 1 part of .*out\.jsonl is at the provider \(12 rows\): batch_/);
  assert.match(live.stderr, /Add --via provider .* flexllm batch cancel /);

  await mock.advance(2);
  const { code, stderr } = await flexllm([...args, ...PROVIDER]);
  assert.equal(code, 0, stderr);
  assertComplete(folder, 12);
  await assertBilledOnce(mock, 12);
  assert.equal((await mock.ledger()).totals.jobs, 1);
});

Deno.test("Ctrl-C and SIGKILL lose nothing: the same command collects", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock();
  const args = [...batchOf(folder, mock, 12), ...PROVIDER];
  {
    await using running = start(args);
    await mock.jobs(1);
    running.signal("SIGKILL");
    await running.finished;
  }
  {
    await using running = start(args);
    await mock.polled();
    running.signal("SIGINT");
    const { code, stderr } = await running.finished;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /Stopping: submitted jobs continue at the provider/);
    assert.match(stderr, /Interrupted: 0 of 12 records/);
    assert.match(stderr, /At the provider: 12 rows in 1 part/);
    assert.match(stderr, /To collect the results: flexllm batch /);
  }
  await mock.advance(2);
  assert.equal((await flexllm(args)).code, 0);
  assertComplete(folder, 12);
  await assertBilledOnce(mock, 12);
});

Deno.test("a create that commits and drops the connection is found again", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock({ faults: ["create_commit_drop@1"] });
  using _ = mock.running();
  const { code, stderr } = await flexllm([...batchOf(folder, mock, 5), ...PROVIDER]);
  assert.equal(code, 0, stderr);
  assertComplete(folder, 5);
  assert.equal((await mock.ledger()).totals.jobs, 1);
});

Deno.test("--then live sends what the deadline leaves; --then stop exits with 3", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock({ faults: ["stuck=40%"] });
  using _ = mock.running();
  const args = batchOf(folder, mock, 10);
  const stopped = await flexllm([...args, ...PROVIDER, "--deadline", "1s"]);
  assert.equal(stopped.code, 3, stopped.stderr);
  assert.match(stopped.stderr, /Incomplete: 4 of 10 records/);
  assert.match(stopped.stderr, /Without a result: 6 records \(the deadline has passed\)/);
  assert.match(stopped.stderr, /To resume: flexllm batch /);
  const sent = await flexllm([...args, ...PROVIDER, "--deadline", "1s", "--then", "live"]);
  assert.equal(sent.code, 0, sent.stderr);
  assert.match(sent.stderr, /sending the \d remaining records live, at full price/);
  assert.match(sent.stderr, /Done: 10 of 10 records .* 6 succeeded, 0 failed, 4 already done/);
  assertComplete(folder, 10);
});

Deno.test("a schema needs no flag: its answers are checked, and none is retried in a job", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock();
  using _ = mock.running();
  const args = [...batchOf(folder, mock, 2), ...PROVIDER, "--schema", "name, age int"];
  const refused = await flexllm([...args, "--schema-retries", "1"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /--schema-retries: not supported in provider batches/);
  const { code, stderr } = await flexllm(args);
  assert.equal(code, 0, stderr);
  for (const { output } of jsonLines(folder.read("out.jsonl"))) {
    assert.equal(typeof JSON.parse(output).age, "number");
  }
});

Deno.test("--clean deletes the provider's files", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock();
  using _ = mock.running();
  const args = batchOf(folder, mock, 3);
  assert.equal((await flexllm([...args, ...PROVIDER, "--clean"])).code, 0);
  const { data } = await (await fetch(`${mock.baseUrl}/files`)).json();
  assert.deepEqual(data, []);
});

Deno.test("several models are separate jobs, and records can come from stdin", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock();
  using _ = mock.running();
  const args = ["batch", "-o", folder.file("out.jsonl"), "--base-url", mock.baseUrl];
  const { code, stderr } = await flexllm(
    [...args, "-m", "a", "-m", "b", ...PROVIDER, "--limit", "4"],
    { stdin: questions(6) },
  );
  assert.equal(code, 0, stderr);
  const records = jsonLines(folder.read("out.jsonl"));
  assert.deepEqual(
    records.map(({ index, requested_model }) => `${index}${requested_model}`),
    ["0a", "0b", "1a", "1b", "2a", "2b", "3a", "3b"],
  );
  assert.equal((await mock.ledger()).totals.jobs, 2);
});

Deno.test("batch.via and batch.jobs in the configuration replace the flags", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock();
  using _ = mock.running();
  const config = folder.write(
    "c.yaml",
    `batch: {via: provider, jobs: {rows: 4, poll_interval: 0.05}}\n`,
  );
  const args = [...batchOf(folder, mock, 10), "--config", config];
  const { code, stderr } = await flexllm(args);
  assert.equal(code, 0, stderr);
  assert.deepEqual((await mock.ledger()).jobs.map(({ rows }) => rows).sort(), [2, 4, 4]);
});

Deno.test("exported records are answered by files that the user brings back", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock();
  const args = batchOf(folder, mock, 6);
  const exported = await flexllm([...args, "--export", folder.file("jobs")]);
  assert.equal(exported.code, 5, exported.stderr);
  assert.match(exported.stderr, /Exported: 6 rows in 1 file/);
  assert.match(exported.stderr, /vllm run-batch -i \S+\.jsonl -o \S+\.results\.jsonl --model m/);
  const [name] = readdirSync(folder.file("jobs"));
  const rows = jsonLines(folder.read(`jobs/${name}`));
  assert.equal((await flexllm(args)).code, 1, "not live");

  // What vLLM's run-batch writes.
  const results = rows.map(({ custom_id, body }, i) =>
    JSON.stringify({
      id: `vllm-${i}`,
      custom_id,
      response: {
        status_code: 200,
        request_id: `vllm-batch-${i}`,
        body: {
          id: `chatcmpl-${i}`,
          object: "chat.completion",
          created: 1,
          model: "m",
          choices: [{
            index: 0,
            message: { role: "assistant", content: `You asked: "${body.messages[0].content}"` },
            finish_reason: "stop",
          }],
          usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
        },
      },
      error: null,
    })
  );
  const first = folder.write("first.jsonl", `${results.slice(0, 2).join("\n")}\n`);
  const half = await flexllm([...args, "--import", first]);
  assert.equal(half.code, 5, half.stderr);
  assert.match(half.stderr, /4 exported records still have no result/);
  const all = folder.write("all.jsonl", `${results.toReversed().join("\n")}\n`);
  const done = await flexllm([...args, "--import", all]);
  assert.equal(done.code, 0, done.stderr);
  assertComplete(folder, 6);
  assert.deepEqual((await mock.ledger()).totals.jobs, 0);
  const status = await flexllm(["batch", "status", folder.file("out.jsonl")]);
  assert.match(status.stdout, / collected {3}6\/6 [^]*\n6 rows collected; no unfinished parts\n$/);
});

Deno.test("rows at the provider are collected and counted even if --limit leaves them out", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock();
  const args = [...batchOf(folder, mock, 6), ...PROVIDER];
  assert.equal((await flexllm([...args, "--no-wait"])).code, 5);
  await mock.advance(2);
  const { code, stderr } = await flexllm([...args, "--limit", "2"]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Done: 6 of 6 records/);
  assertComplete(folder, 6);
});

Deno.test("flags of provider batches without them are refused", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock();
  const args = batchOf(folder, mock, 1);
  const { code, stderr } = await flexllm([...args, "--deadline", "6h"]);
  assert.equal(code, 1);
  assert.match(stderr, /^error: --deadline needs --via provider\nAdd --via provider/);
  assert.equal((await flexllm([...args, "--via", "carrier-pigeon"])).code, 1);
  const noted = await flexllm([...args, ...PROVIDER, "--no-wait", "-c", "5"]);
  assert.match(noted.stderr, /note: -c has no effect/);
});
