/**
 * Failures that a batch must survive. Each scenario takes a seed and a number of rounds, and asserts the
 * invariants at its end.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LLMClient } from "../../mod.ts";
import { seededRandom } from "../../lib/runtime/random.ts";
import { commandLine, flexllm, start } from "../support/cli.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";
import { foreignWriter, olderVersion, stolenLock } from "./foreign_programs.ts";
import { answerTo, HostileServer } from "./hostile_server.ts";
import { assertComplete, assertPaidOnce, assertSound, inputOf, questionsOf } from "./invariants.ts";
import { killsUnderBudget, rateUnderBudget, suspensions } from "./money_and_time.ts";
import { batch, CONCURRENCY, finish, LONGEST, type Scenario, sleep, until } from "./running.ts";

async function kills(seed: number, rounds: number): Promise<void> {
  using folder = temporaryFolder();
  await using server = await HostileServer.start({ seed });
  const random = seededRandom(seed);
  const questions = questionsOf(rounds * 40);
  folder.write("in.jsonl", inputOf(questions));
  const args = batch(folder, server);
  for (let i = 0; i < rounds; i++) {
    await using running = start(args);
    // Some at the very start, some in the middle of the work.
    const target = server.requests + Math.floor(random() * 60) - 10;
    if (target > server.requests) await until(() => server.requests >= target, running);
    await sleep(random() * 30);
    running.signal("SIGKILL");
    await running.finished;
    if (existsSync(folder.file("out.jsonl"))) assertSound(folder.read("out.jsonl"), questions);
  }
  await finish(args, 0);
  assertComplete(folder.read("out.jsonl"), questions);
  assertPaidOnce(server, rounds * CONCURRENCY);
  const { requests } = server;
  await finish(args, 0);
  assert.equal(server.requests, requests, "nothing is sent when all is done");
}

async function killsWhileSorting(seed: number, rounds: number): Promise<void> {
  const random = seededRandom(seed);
  await using server = await HostileServer.start({ seed, chance: 0, delay: 2 });
  for (let i = 0; i < rounds; i++) {
    using folder = temporaryFolder();
    const questions = Array.from({ length: 300 }, (_, i) => `${i} ${"long ".repeat(2000)}`);
    folder.write("in.jsonl", inputOf(questions));
    const args = batch(folder, server);
    const before = server.requests;
    await using running = start(args);
    await until(() => server.requests >= before + 300, running);
    await sleep(random() * 20);
    running.signal("SIGKILL");
    await running.finished;
    await finish(args, 0);
    assertComplete(folder.read("out.jsonl"), questions);
    assert.equal(existsSync(folder.file("out.jsonl.tmp")), false);
  }
}

async function interrupts(seed: number, rounds: number): Promise<void> {
  const random = seededRandom(seed);
  for (let i = 0; i < rounds; i++) {
    using folder = temporaryFolder();
    await using server = await HostileServer.start({ seed: seed + i, delay: 40 });
    const questions = questionsOf(150);
    folder.write("in.jsonl", inputOf(questions));
    const args = batch(folder, server);
    await using running = start(args);
    const target = Math.floor(random() * 120);
    await until(() => server.requests >= target, running);
    const signals = Math.floor(random() * 3) + 1;
    for (let sent = 0; sent < signals && running.process.exitCode === null; sent++) {
      running.signal(random() < 0.5 ? "SIGINT" : "SIGTERM");
      await sleep(random() * 20);
    }
    const { code, stderr, signal } = await running.finished;
    // A signal kills the process if its handlers are not installed yet.
    assert.ok(code === 130 || code === 0 || signal !== null, `exit ${code}: ${stderr}`);
    // The third signal ends the process silently.
    if (code === 130 && signals < 3) assert.match(stderr, /To resume: flexllm batch/);
    if (existsSync(folder.file("out.jsonl"))) {
      const result = folder.read("out.jsonl");
      assertSound(result, questions);
      assert.ok(!result.includes('"error"'), "aborted requests are not recorded as failed");
    }
    await finish(args, 0);
    assertComplete(folder.read("out.jsonl"), questions);
    assertPaidOnce(server, CONCURRENCY);
  }
}

/** Ctrl-C while all records wait: for a rate limit, or for a server that is down. */
async function interruptsOfWaits(seed: number): Promise<void> {
  for (const waits of ["retry-after", "outage"] as const) {
    using folder = temporaryFolder();
    await using server = await HostileServer.start({ seed, chance: 0, delay: 30 });
    const questions = questionsOf(300);
    folder.write("in.jsonl", inputOf(questions));
    const args = batch(folder, server);
    await using running = start(args);
    await until(() => server.requests >= 50, running);
    if (waits === "outage") await server.die();
    else server.refuseFor("60");
    await sleep(300);
    const startTime = performance.now();
    running.signal("SIGINT");
    const { code } = await running.finished;
    assert.equal(code, 130);
    assert.ok(performance.now() - startTime < 30_000, "Ctrl-C ends the wait");
    if (waits === "outage") await server.open();
    else server.refuseFor(undefined);
    await finish(args, 0);
    assertComplete(folder.read("out.jsonl"), questions);
  }
}

async function transientFaults(seed: number): Promise<void> {
  for (const concurrency of [1, 8, 64]) {
    using folder = temporaryFolder();
    await using server = await HostileServer.start({ seed, delay: 5, pages: true });
    const questions = questionsOf(concurrency === 1 ? 150 : 400);
    folder.write("in.jsonl", inputOf(questions));
    await finish(batch(folder, server, concurrency), 0);
    assertComplete(folder.read("out.jsonl"), questions);
    assertPaidOnce(server);
  }
}

/** Records whose retries are used up are recorded as failed, and later runs send them again. */
async function lastingFaults(seed: number): Promise<void> {
  using folder = temporaryFolder();
  await using server = await HostileServer.start({ seed, lasting: true });
  const questions = questionsOf(300);
  folder.write("in.jsonl", inputOf(questions));
  const args = batch(folder, server);
  await finish(args, 3);
  const records = jsonLines(folder.read("out.jsonl"));
  assert.deepEqual(records.map(({ index }) => index), questions.map((_, i) => i));
  assert.ok(records.some(({ status }) => status === "error"));
  for (let runs = 0; runs < 20; runs++) {
    const { code } = await flexllm(args);
    if (code === 0) break;
    assert.equal(code, 3);
  }
  assertComplete(folder.read("out.jsonl"), questions);
  assertPaidOnce(server);
}

/** A server that slows down, dies and recovers. */
async function outage(seed: number): Promise<void> {
  using folder = temporaryFolder();
  await using server = await HostileServer.start({ seed, chance: 0, delay: 60 });
  const questions = questionsOf(1500);
  folder.write("in.jsonl", inputOf(questions));
  await using running = start(batch(folder, server, 64));
  await until(() => server.requests >= 300, running);
  await server.die();
  await sleep(3000);
  const before = server.requests;
  await server.open();
  await until(() => server.requests > before, running);
  const { code, stderr } = await running.finished;
  assert.equal(code, 0, stderr);
  assertComplete(folder.read("out.jsonl"), questions);
  // The first request probes the server; then their number grows gradually.
  const afterwards = server.times.slice(before);
  const burst = afterwards.filter((at) => at < afterwards[0] + 30).length;
  assert.ok(burst <= 40, `${burst} requests in the first moment`);
  assertPaidOnce(server, 64);
}

/** Runs a batch that is out of disk space: on a small file system, or else with a file size limit. */
async function fullDisk(seed: number): Promise<void> {
  using folder = temporaryFolder();
  await using server = await HostileServer.start({ seed, chance: 0, delay: 2 });
  const questions = questionsOf(600);
  folder.write("in.jsonl", inputOf(questions));
  const small = folder.file("small");
  mkdirSync(small);
  const args = batch(folder, server);
  args[args.indexOf("-o") + 1] = join(small, "out.jsonl");
  let unmount = () => {};
  const quoted = [...commandLine(), ...args].map((part) => `'${part}'`).join(" ");
  let limited: string[];
  try {
    // Mounting requires root.
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=96k", "tmpfs", small], { stdio: "ignore" });
    unmount = () => execFileSync("umount", [small]);
    limited = ["-c", quoted];
  } catch {
    limited = ["-c", `ulimit -f 96; ${quoted}`];
  }
  try {
    const { code, stderr } = await flexllm([], { shell: limited });
    assert.notEqual(code, 0);
    assertSound(readFileSync(join(small, "out.jsonl"), "utf8"), questions);
    if (limited[1] === quoted) {
      assert.equal(code, 1, stderr);
      assert.match(stderr, /the disk is full[\s\S]*Free up space/);
      // Free space again, so that the same command resumes.
      execFileSync("mount", ["-o", "remount,size=10m", small]);
    }
    await finish(args, 0);
    assertComplete(readFileSync(join(small, "out.jsonl"), "utf8"), questions);
    assertPaidOnce(server, CONCURRENCY * 4);
  } finally {
    unmount();
  }
}

/** The result file is removed, replaced or made read-only while the batch runs. */
async function changedOutput(seed: number): Promise<void> {
  const acts: [string, number[], (path: string) => void][] = [
    ["made read-only", [0], (path) => execFileSync("chmod", ["0444", path])],
    ["removed", [1], (path) => execFileSync("rm", [path])],
    ["replaced", [1], (path) => {
      execFileSync("rm", [path]);
      writeFileSync(path, "something else\n");
    }],
  ];
  for (const [what, codes, act] of acts) {
    using folder = temporaryFolder();
    await using server = await HostileServer.start({ seed, chance: 0, delay: 100 });
    const questions = questionsOf(300);
    folder.write("in.jsonl", inputOf(questions));
    const args = batch(folder, server);
    await using running = start(args);
    await until(() => server.requests >= 60, running);
    act(folder.file("out.jsonl"));
    const { code, stderr } = await running.finished;
    assert.ok(codes.includes(code!), `${what}: exit ${code}: ${stderr}`);
    if (what === "replaced") {
      assertSound(folder.read("out.jsonl.rescued"), questions);
      // The other file is refused until it is removed; then the rescued results are restored.
      await finish(args, 1);
      execFileSync("rm", [folder.file("out.jsonl")]);
    }
    await finish(args, 0);
    assertComplete(folder.read("out.jsonl"), questions);
    assertPaidOnce(server, CONCURRENCY);
  }
}

/** Every reading of the system clock is off by up to 12 hours. */
async function jumpingClock(seed: number): Promise<void> {
  await using server = await HostileServer.start({ seed, delay: 3, pages: true });
  const random = seededRandom(seed);
  const { now } = Date;
  await using client = new LLMClient({
    baseUrl: server.baseUrl,
    model: "m",
    concurrencyLimit: CONCURRENCY,
    retryTimes: 40,
    retryDelay: 0.01,
    adaptive: true,
  });
  const questions = questionsOf(300);
  const startTime = performance.now();
  try {
    Date.now = () => now() + (random() - 0.5) * 86_400_000;
    const inputs = questions.map((content) => [{ role: "user" as const, content }]);
    const { results, summary } = await client.chatCompletionsBatch(inputs);
    assert.deepEqual([summary.succeeded, summary.failed], [300, 0]);
    for (const [i, item] of results.entries()) {
      assert.ok(item.status === "success" && item.result.content === answerTo(questions[i]));
      assert.ok(item.result.latency >= 0 && item.result.latency < 60);
    }
  } finally {
    Date.now = now;
  }
  assert.ok(performance.now() - startTime < LONGEST, "no wait took hours");
  assertPaidOnce(server);
}

async function twoProcesses(seed: number): Promise<void> {
  using folder = temporaryFolder();
  await using server = await HostileServer.start({ seed, chance: 0, delay: 80 });
  const questions = questionsOf(200);
  folder.write("in.jsonl", inputOf(questions));
  const args = batch(folder, server);
  const first = start(args);
  await until(() => server.requests >= 20, first);
  // On a busy machine it could finish before the second one has started.
  first.signal("SIGSTOP");
  const second = await flexllm(args);
  assert.equal(second.code, 1);
  assert.match(second.stderr, /another flexllm process is writing/);
  first.signal("SIGKILL");
  await finish(args, 0);
  await first.finished;
  assertComplete(folder.read("out.jsonl"), questions);
  assertPaidOnce(server, CONCURRENCY);
}

/** Three endpoints: one with many faults, one that dies in mid-run, and a good one. */
async function pool(seed: number): Promise<void> {
  for (const loadBalance of ["round_robin", "weighted", "least_busy", "latency", "fallback"]) {
    using folder = temporaryFolder();
    await using hostile = await HostileServer.start({ seed, chance: 0.5, delay: 5 });
    await using mortal = await HostileServer.start({ seed, chance: 0, delay: 5 });
    await using good = await HostileServer.start({ seed, chance: 0.05, delay: 5 });
    const questions = questionsOf(300);
    const servers = [hostile, mortal, good];
    const endpoints = servers.map(({ baseUrl }) =>
      `    - {base_url: "${baseUrl}", model: m, concurrency_limit: 6}\n`
    );
    const settings = `  retry_delay: 0.01\n  retry_times: 40\n  load_balance: ${loadBalance}\n`;
    const config = `batch:\n${settings}  endpoints:\n${endpoints.join("")}`;
    const args = [
      ...["batch", folder.write("in.jsonl", inputOf(questions)), "-o", folder.file("out.jsonl")],
      ...["--config", folder.write("config.yaml", config)],
    ];
    await using running = start(args);
    await until(() => servers.reduce((sum, { requests }) => sum + requests, 0) >= 80, running);
    await mortal.die();
    const { code, stderr } = await running.finished;
    await mortal.open();
    assert.equal(code, 0, `${loadBalance}: ${stderr}`);
    assertComplete(folder.read("out.jsonl"), questions);
    for (const server of servers) assertPaidOnce(server, 6);
  }
}

/** Records of odd sizes and contents, from standard input, under kills. */
async function oddRecords(seed: number, rounds: number): Promise<void> {
  using folder = temporaryFolder();
  await using server = await HostileServer.start({ seed, delay: 5 });
  const random = seededRandom(seed);
  const questions = Array.from({ length: 120 }, (_, i) => {
    const odd = [
      "",
      "x".repeat(200_000),
      "👩‍👩‍👧‍👦 \u2028 \u0000",
      "断点续传",
      '\\n"quoted"',
      "\ud83d half",
    ];
    return `${i} ${odd[Math.floor(random() * odd.length)]}`;
  });
  // UTF-8 cannot encode a lone surrogate; it arrives as a replacement character.
  const sent = questions.map((question) => question.replace(/\ud83d half/, "\ufffd half"));
  const stdin = inputOf(sent);
  folder.write("in.jsonl", "");
  const args = batch(folder, server);
  args[1] = "-";
  for (let i = 0; i < rounds; i++) {
    await using running = start(args, { stdin });
    const target = server.requests + Math.floor(random() * 40);
    await until(() => server.requests >= target, running);
    running.signal("SIGKILL");
    await running.finished;
  }
  const { code, stderr } = await flexllm(args, { stdin });
  assert.equal(code, 0, stderr);
  assertComplete(folder.read("out.jsonl"), sent);
  assertPaidOnce(server, rounds * CONCURRENCY);
}

/** All scenarios, by name. */
export const SCENARIOS: Record<string, Scenario> = {
  "SIGKILL at random moments": kills,
  "SIGKILL while the results are sorted": killsWhileSorting,
  "SIGINT and SIGTERM, up to three times": interrupts,
  "SIGINT while all records wait": interruptsOfWaits,
  "transient faults": transientFaults,
  "faults that use up all retries": lastingFaults,
  "an outage": outage,
  "a full disk": fullDisk,
  "a result file that is removed, replaced or made read-only": changedOutput,
  "another program that writes to the result file": foreignWriter,
  "a result file that is replaced by an older version": olderVersion,
  "a lock file that is removed": stolenLock,
  "a rate limit under a tight budget": rateUnderBudget,
  "kills of a batch with a budget": killsUnderBudget,
  "a process that is suspended": suspensions,
  "a clock that jumps": jumpingClock,
  "two processes": twoProcesses,
  "a pool with failing endpoints": pool,
  "odd records through a pipe": oddRecords,
};
