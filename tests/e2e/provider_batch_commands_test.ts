/** `flexllm batch status` and `flexllm batch cancel`, also from a second process. */
import assert from "node:assert/strict";
import { flexllm, start } from "../support/cli.ts";
import { type ProviderMock, providerMock } from "../support/provider_mock.ts";
import { jsonLines, type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const PROVIDER = ["--via", "provider", "--poll-interval", "50ms"];

function batchOf(folder: TemporaryFolder, mock: ProviderMock, count: number): string[] {
  const lines = Array.from({ length: count }, (_, i) => `{"q":"Question ${i}."}\n`).join("");
  return [
    ...["batch", folder.write("in.jsonl", lines), "-o", folder.file("out.jsonl")],
    ...["-m", "m", "--base-url", mock.baseUrl],
  ];
}

Deno.test("status asks the provider, and without it shows the last known state", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  {
    await using mock = await providerMock();
    const args = batchOf(folder, mock, 20);
    assert.equal((await flexllm([...args, ...PROVIDER, "--no-wait"])).code, 5);
    await mock.advance(0.5);
    const { code, stdout, stderr } = await flexllm(["batch", "status", output]);
    assert.equal(code, 5, stderr);
    assert.match(stdout, /^part +job +state +rows +age +expires in\n/);
    assert.match(stdout, /[a-z0-9]{10} {2}batch_\w+ {2}running {2}\d+\/20 /);
    assert.match(stdout, /0 rows collected; 20 rows in 1 unfinished part\n$/);
    assert.equal(stderr, "");
    const json = JSON.parse((await flexllm(["batch", "status", output, "--json"])).stdout);
    assert.deepEqual([json.live, json.parts[0].state, json.parts[0].rows], [1, "running", 20]);
  }
  const offline = await flexllm(["batch", "status", output]);
  assert.equal(offline.code, 5);
  assert.match(offline.stdout, / 20 /);
  assert.match(offline.stderr, /warning: showing the last known state: connection refused/);
  const silent = await flexllm(["batch", "status", output, "--offline"]);
  assert.deepEqual([silent.code, silent.stderr], [5, ""]);
});

Deno.test("status of a live batch, and of no batch", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock();
  assert.equal((await flexllm(batchOf(folder, mock, 1))).code, 0);
  const live = await flexllm(["batch", "status", folder.file("out.jsonl")]);
  assert.equal(live.code, 0);
  assert.match(live.stdout, / has no provider jobs\.\n$/);
  const missing = await flexllm(["batch", "status", folder.file("nothing.jsonl")]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /^error: the result file .* does not exist\n/);
});

Deno.test("status and cancel refuse a folder", async () => {
  using folder = temporaryFolder();
  for (const command of ["status", "cancel"]) {
    const { code, stderr } = await flexllm(["batch", command, folder.file("")]);
    assert.equal(code, 1);
    assert.match(stderr, / is not a file\nSpecify the file that the batch writes with -o\.\n$/);
  }
});

Deno.test("cancel gives exported files up, so that the records can be sent live", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock();
  const args = batchOf(folder, mock, 3);
  const cancel = ["batch", "cancel", folder.file("out.jsonl")];
  assert.equal((await flexllm([...args, "--export", folder.file("jobs")])).code, 5);
  const refused = await flexllm(args);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /give the files up: flexllm batch cancel \S+out\.jsonl\n/);
  const unconfirmed = await flexllm(cancel);
  assert.match(
    unconfirmed.stderr,
    /cancelling 1 exported file with 3 rows needs your confirmation/,
  );
  const { code, stderr } = await flexllm([...cancel, "-y"]);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "Gave up 1 exported file with 3 rows; the next run sends the records.\n");
  const again = await flexllm([...cancel, "-y"]);
  assert.deepEqual([again.code, again.stdout], [0, ""]);
  assert.match(again.stderr, /^\S+ has no jobs to cancel\.\n$/);
  assert.equal((await flexllm(args)).code, 0);
});

Deno.test("cancel collects what is done, after a confirmation", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock({ faults: ["stuck=25%"] });
  const args = batchOf(folder, mock, 20);
  const output = folder.file("out.jsonl");
  assert.equal((await flexllm([...args, ...PROVIDER, "--no-wait"])).code, 5);
  await mock.advance(1);
  const unconfirmed = await flexllm(["batch", "cancel", output]);
  assert.equal(unconfirmed.code, 1);
  assert.match(
    unconfirmed.stderr,
    /cancelling 1 part with 20 rows needs your confirmation\n.* -y\./,
  );
  using _ = mock.running();
  const { code, stderr } = await flexllm([
    "batch",
    "cancel",
    output,
    "-y",
    "--poll-interval",
    "50ms",
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Cancelled 1 part: 5 rows answered, 0 failed\./);
  assert.equal(jsonLines(folder.read("out.jsonl")).length, 5);
  const after = await flexllm(["batch", "status", output]);
  assert.equal(after.code, 0);
  assert.match(after.stdout, /5 rows collected; .*no unfinished parts/);
  const nothing = await flexllm(["batch", "cancel", output]);
  assert.deepEqual([nothing.code, nothing.stderr], [0, `${output} has no jobs to cancel.\n`]);
  // The rest is free, and can be sent live.
  const rest = await flexllm(args);
  assert.match(rest.stderr, /15 succeeded, 0 failed, 5 already done/);
});

Deno.test("cancel collects the new answer of a record that had an earlier one", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock({});
  const args = batchOf(folder, mock, 2);
  using _ = mock.running();
  assert.equal((await flexllm(args)).code, 0);
  const changed = folder.read("in.jsonl").replace(/^.*\n/, '{"q":"another one"}\n');
  folder.write("in.jsonl", changed);
  const again = [...args, ...PROVIDER, "--no-wait", "--rerun-changed"];
  const submitted = await flexllm(again);
  assert.equal(submitted.code, 5, submitted.stderr);
  await mock.advance(100);
  const cancel = ["batch", "cancel", folder.file("out.jsonl"), "-y", "--poll-interval", "50ms"];
  const { code, stderr } = await flexllm(cancel);
  assert.equal(code, 0, stderr);
  const [first, second] = jsonLines(folder.read("out.jsonl"));
  assert.match(String(first.output), /another one/);
  assert.equal(second.index, 1);
});

Deno.test("cancel from a second process: the one that waits cancels and collects", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock({ faults: ["stuck=50%"] });
  await using running = start([...batchOf(folder, mock, 10), ...PROVIDER]);
  await mock.jobs(1);
  using _ = mock.running();
  const request = await flexllm(["batch", "cancel", folder.file("out.jsonl"), "-y"]);
  assert.equal(request.code, 0, request.stderr);
  assert.match(request.stderr, /Another flexllm process is waiting for these jobs/);
  const { code, stderr } = await running.finished;
  assert.equal(code, 130, stderr);
  assert.match(stderr, /Cancelled: \d+ of 10 records/);
  assert.match(stderr, /Without a result: \d+ records \(the jobs were cancelled\)/);
  assert.match(stderr, /To resume: flexllm batch /);
});

Deno.test("a second process that sends the same batch is refused while the first waits", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock();
  const args = [...batchOf(folder, mock, 4), ...PROVIDER];
  await using running = start(args);
  await mock.jobs(1);
  const second = await flexllm(args);
  assert.equal(second.code, 1);
  assert.match(second.stderr, /another flexllm process is writing/);
  await mock.advance(2);
  assert.equal((await running.finished).code, 0);
  assert.equal((await mock.ledger()).totals.jobs, 1);
});

Deno.test("an input file called status needs ./", async () => {
  using folder = temporaryFolder();
  await using mock = await providerMock();
  folder.write("status", '{"q":"Hi"}\n');
  const rest = ["-o", "out.jsonl", "-m", "m", "--base-url", mock.baseUrl];
  const options = { cwd: folder.path };
  const word = await flexllm(["batch", "status", ...rest], options);
  assert.equal(word.code, 1);
  const path = await flexllm(["batch", "./status", ...rest, "--input-format", "jsonl"], options);
  assert.equal(path.code, 0, path.stderr);
  const mistaken = await flexllm(["batch", "status", "in.jsonl", "-o", "out.jsonl"], options);
  assert.equal(mistaken.code, 1);
  assert.match(mistaken.stderr, /batch status has no flag -o\n/);
  assert.match(mistaken.stderr, /If status is the input file, write \.\/status/);
});

Deno.test("help and completion know the subcommands", async () => {
  const { stdout } = await flexllm(["batch", "--help"]);
  assert.match(stdout, /Commands:\n {2}status .*show the provider jobs of a result file/);
  const complete = async (...words: string[]) =>
    (await flexllm(["complete", "--", ...words])).stdout.trimEnd().split("\n");
  assert.deepEqual(await complete("batch", ""), [":0"]);
  assert.deepEqual(await complete("batch", "sta"), [
    "status\tshow the provider jobs of a result file",
    ":4",
  ]);
  assert.deepEqual(await complete("batch", "status", ""), [":0"]);
  assert.deepEqual(await complete("batch", "--via", "p"), ["provider", ":4"]);
});
