/** The batch APIs of `flexllm mock` as a user runs it: killed, restarted, watched, and misconfigured. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { BatchClient, inputLines, prompts } from "../support/batch_mock.ts";
import { flexllm, type Running, start } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

async function originOf(running: Running): Promise<string> {
  while (!/listening on \S+\n/.test(running.stdout())) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return running.stdout().match(/http:\S+(?=\/v1)/)![0];
}

Deno.test("a mock that is killed loses nothing that it acknowledged", async () => {
  using folder = temporaryFolder();
  const state = join(folder.path, "state");
  const args = ["mock", "-p", "0", "--state", state, "--batch-duration", "0"];
  let id: string;
  {
    await using running = start(args);
    id = (await new BatchClient(await originOf(running)).batch(prompts(4))).id;
    running.signal("SIGKILL");
    await running.finished;
  }
  await using running = start(args);
  const client = new BatchClient(await originOf(running));
  const { output_file_id } = await client.json("GET", `/batches/${id}`);
  assert.equal((await client.content(output_file_id)).length, 4);
  assert.equal((await client.ledger()).totals.billed, 4);
});

Deno.test("the access log and the request log show batches", async () => {
  await using running = start([
    "mock",
    "-p",
    "0",
    "--access-log",
    "--batch-duration",
    "0",
    "--batch-fault",
    "create_commit_drop@1",
  ]);
  const client = new BatchClient(await originOf(running));
  const file = await client.uploaded(inputLines(["a"]));
  await assert.rejects(client.create(file).then((answer) => answer.text()));
  const [{ id }] = (await client.json("GET", "/batches")).data;
  await (await client.send("GET", `/batches/${id}x`)).text();
  const log = await (await fetch(`${client.origin}/__mock/requests`)).json();
  assert.deepEqual(
    log.requests.map(({ method, path, status }: Record<string, unknown>) => [method, path, status])
      .slice(0, 3),
    [["POST", "/v1/files", 200], ["POST", "/v1/batches", 200], ["GET", "/v1/batches", 200]],
  );
  assert.match(log.requests[0].body.file, /^in\.jsonl \(\d+ bytes\)$/);
  assert.equal(log.requests[1].body.input_file_id, file);
  running.signal("SIGINT");
  const { stdout } = await running.finished;
  assert.match(stdout, / POST \/v1\/batches {2}injected disconnect\n/);
  assert.match(stdout, / 404 .* GET {2}\/v1\/batches\/batch_\w+x {2}No batch found with id/);
});

Deno.test("wrong flags for batches are rejected with what was expected", async () => {
  const fault = await flexllm(["mock", "--batch-fault", "expir"]);
  assert.equal(fault.code, 1);
  assert.match(fault.stderr, /argument 'expir' is invalid\. Unknown kind; did you mean "expire"\?/);
  const state = await flexllm(["mock", "--state", "/dev/null/x"]);
  assert.equal(state.code, 1);
  assert.match(state.stderr, /cannot use the state folder \/dev\/null\/x: .*\n.*--state/);
  const replay = await flexllm(["mock", "--replay", "tape.jsonl", "--batch-duration", "3s"]);
  assert.equal(replay.code, 1);
  assert.match(replay.stderr, /'--replay <file>' cannot be used with option '--batch-duration/);
});
