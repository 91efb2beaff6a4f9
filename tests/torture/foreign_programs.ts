/** Scenarios in which other programs change the files of a running batch. */
import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { seededRandom } from "../../lib/runtime/random.ts";
import { start } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { answerTo, HostileServer } from "./hostile_server.ts";
import { assertComplete, assertPaidOnce, inputOf, questionsOf } from "./invariants.ts";
import { batch, CONCURRENCY, finish, sleep, until } from "./running.ts";

/** Appended content: JSON, text, blank lines, torn lines, binary data. */
const FOREIGN = ['{"x":1}\n', "not JSON\n", "\n", " \r\n", '{"torn":"', "}\n", "\0\0\n", "é"];

/** The lines of `result` that are successful results. */
function resultsOf(result: string): string[] {
  return result.split("\n").filter((line) => {
    try {
      const { index, output, status } = JSON.parse(line);
      return typeof index === "number" && typeof output === "string" && status === "success";
    } catch {
      return false;
    }
  });
}

/** Checks that every billed answer is in the file, except for up to `inFlight` requests. */
function assertAllKept(result: string, server: HostileServer, inFlight = 0): void {
  const outputs = new Set(resultsOf(result).map((line) => JSON.parse(line).output));
  const lost = [...server.paid.keys()].filter((question) => !outputs.has(answerTo(question)));
  assert.ok(lost.length <= inFlight, `${lost.length} answers are lost, e.g. the one to ${lost[0]}`);
}

/** Another program sometimes appends to the result file. */
export async function foreignWriter(seed: number, rounds: number): Promise<void> {
  for (let round = 0; round < Math.min(rounds, 10); round++) {
    using folder = temporaryFolder();
    await using server = await HostileServer.start({ seed: seed + round, chance: 0, delay: 60 });
    const random = seededRandom(seed + round);
    const questions = questionsOf(400);
    folder.write("in.jsonl", inputOf(questions));
    const args = batch(folder, server, 20);
    // Every third round appends only blank lines, which are harmless.
    const isBlank = round % 3 === 1;
    const texts = isBlank ? ["\n", " \r\n"] : FOREIGN;
    await using running = start(args);
    for (const requests of [40, 150, 151, 300, 399]) {
      await until(() => server.requests >= requests, running);
      await sleep(random() * 20);
      if (running.process.exitCode !== null) break;
      appendFileSync(folder.file("out.jsonl"), texts[Math.floor(random() * texts.length)]);
    }
    const { code, stderr } = await running.finished;
    assert.ok(isBlank ? code === 0 : code === 0 || code === 1, `exit ${code}: ${stderr}`);
    const result = folder.read("out.jsonl");
    assertAllKept(result, server);
    if (code === 1) {
      assert.match(stderr, /another program wrote to .*\n.*out\.jsonl:\d+: /);
      folder.write("out.jsonl", `${resultsOf(result).join("\n")}\n`);
      await finish(args, 0);
    }
    assertComplete(folder.read("out.jsonl"), questions);
    assertPaidOnce(server);
  }
}

/** The result file is replaced with an earlier copy, by rename or in place. */
export async function olderVersion(seed: number): Promise<void> {
  for (const way of ["rename", "copy"] as const) {
    using folder = temporaryFolder();
    await using server = await HostileServer.start({ seed, chance: 0, delay: 100 });
    const questions = questionsOf(400);
    folder.write("in.jsonl", inputOf(questions));
    const args = batch(folder, server);
    const [output, older] = [folder.file("out.jsonl"), folder.file("older.jsonl")];
    await using running = start(args);
    await until(() => server.requests >= 60, running);
    copyFileSync(output, older);
    await until(() => server.requests >= 200, running);
    if (way === "rename") renameSync(older, output);
    else copyFileSync(older, output);
    const { code, stderr } = await running.finished;
    assert.equal(code, 1, stderr);
    if (way === "rename") assertAllKept(folder.read("out.jsonl.rescued"), server, CONCURRENCY);
    await finish(args, 0);
    assertComplete(folder.read("out.jsonl"), questions);
    assert.equal(existsSync(`${output}.rescued`), false);
    // A copy in place overwrites answers, which cannot be rescued.
    if (way === "rename") assertPaidOnce(server, CONCURRENCY);
  }
}

/** The lock file is removed, and a second process starts with the same files. */
export async function stolenLock(seed: number): Promise<void> {
  using folder = temporaryFolder();
  await using server = await HostileServer.start({ seed, chance: 0, delay: 100 });
  const questions = questionsOf(600);
  folder.write("in.jsonl", inputOf(questions));
  const args = batch(folder, server);
  await using first = start(args);
  await until(() => server.requests >= 100, first);
  rmSync(folder.file("out.jsonl.lock"));
  await using second = start(args);
  const ends = await Promise.all([first.finished, second.finished]);
  // The process that holds the lock finishes; the other one stops with an error.
  assert.deepEqual(
    ends.map(({ code }) => code).toSorted(),
    [0, 1],
    ends[0].stderr + ends[1].stderr,
  );
  const stopped = ends.find(({ code }) => code === 1)!;
  assert.match(stopped.stderr, /another (flexllm )?process is writing|moved, removed or replaced/);
  assertComplete(folder.read("out.jsonl"), questions);
  // A further run has nothing to send.
  const { requests } = server;
  await finish(args, 0);
  assert.equal(server.requests, requests);
}
