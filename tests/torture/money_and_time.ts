/** Scenarios that check limits at the server: money across kills, request rate, and suspended processes. */
import assert from "node:assert/strict";
import { seededRandom } from "../../lib/runtime/random.ts";
import { flexllm, start } from "../support/cli.ts";
import { jsonLines, type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";
import { HostileServer } from "./hostile_server.ts";
import { assertComplete, assertPaidOnce, inputOf, questionsOf } from "./invariants.ts";
import { batch, CONCURRENCY, finish, LONGEST, sleep, until } from "./running.ts";

/** USD per answer of the server: three input tokens and two output tokens. */
const COST = 0.005;

/** The arguments of a batch whose model costs $0.001 per token. */
function pricedBatch(folder: TemporaryFolder, server: HostileServer, concurrency: number) {
  const args = batch(folder, server, concurrency);
  const price = "{input: 1000, output: 1000}";
  const config = "batch: {retry_delay: 0.01}\nmodels:\n" +
    `  - {id: m, base_url: "${server.baseUrl}", price: ${price}}\n`;
  args[args.indexOf("--config") + 1] = folder.write("priced.yaml", config);
  const baseUrl = args.indexOf("--base-url");
  return args.toSpliced(baseUrl, 2);
}

/** The maximum number of `times` within any `ms` milliseconds. */
function mostWithin(times: readonly number[], ms: number): number {
  let most = 0;
  for (let first = 0, last = 0; last < times.length; last++) {
    while (times[last] - times[first] >= ms) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/**
 * Tolerance for a busy machine: the server records when it handles a request, not when the request arrived.
 * Without joint reservations of rate and money, the rate was more than 2.5 times the limit.
 */
const LATE = 1.25;

/** Requests wait for money and then can all start at once: the rate limit must still hold. */
export async function rateUnderBudget(seed: number): Promise<void> {
  using folder = temporaryFolder();
  await using server = await HostileServer.start({ seed, chance: 0, delay: 60 });
  const random = seededRandom(seed);
  const questions = questionsOf(120);
  const records = questions.map((q, i) => {
    // Some reserve almost the whole budget, so that no other request can start.
    const isLarge = i === 0 || random() < 0.05;
    return `${JSON.stringify({ q, id: `id-${i}`, max_tokens: isLarge ? 99_000 : 20 })}\n`;
  });
  folder.write("in.jsonl", records.join(""));
  await finish(
    [...pricedBatch(folder, server, 50), "--max-qps", "20", "--budget", "100"],
    0,
  );
  const lines = jsonLines(folder.read("out.jsonl"));
  assert.deepEqual(lines.map(({ status }) => status), questions.map(() => "success"));
  assertPaidOnce(server);
  const most = mostWithin(server.times.toSorted((a, b) => a - b), 1000);
  assert.ok(most <= 20 * LATE, `${most} requests within a second`);
}

/** The process is suspended for longer than its timeout, while the answers arrive in its sockets. */
export async function suspensions(seed: number): Promise<void> {
  using folder = temporaryFolder();
  await using server = await HostileServer.start({ seed, chance: 0, delay: 1000 });
  const random = seededRandom(seed);
  const questions = questionsOf(160);
  folder.write("in.jsonl", inputOf(questions));
  const args = [...batch(folder, server, 40), "--timeout", "3", "--no-adaptive"];
  await using running = start(args);
  for (const requests of [50, 110]) {
    await until(() => server.requests >= requests, running);
    await sleep(random() * 300);
    running.signal("SIGSTOP");
    await sleep(5000);
    running.signal("SIGCONT");
  }
  const { code, stderr } = await running.finished;
  assert.equal(code, 0, stderr);
  assertComplete(folder.read("out.jsonl"), questions);
  assertPaidOnce(server);
}

/** A batch with a budget is killed repeatedly: the bill of all runs together stays within the budget. */
export async function killsUnderBudget(seed: number, rounds: number): Promise<void> {
  using folder = temporaryFolder();
  await using server = await HostileServer.start({ seed, chance: 0, delay: 150 });
  const random = seededRandom(seed);
  const questions = questionsOf(rounds * 40);
  folder.write("in.jsonl", inputOf(questions));
  // Half of the cost of the whole batch, so that the budget is used up.
  const budget = questions.length * COST / 2;
  const limits = ["--budget", String(budget), "--max-tokens", "2"];
  const args = [...pricedBatch(folder, server, 5 * CONCURRENCY), ...limits];
  const billed = () => COST * [...server.paid.values()].reduce((sum, times) => sum + times, 0);
  for (let i = 0; i < rounds; i++) {
    await using running = start(args);
    const target = server.requests + Math.floor(random() * 60);
    await until(() => server.requests >= target, running);
    await sleep(random() * 30);
    running.signal("SIGKILL");
    await running.finished;
  }
  const startTime = performance.now();
  const { code, stderr } = await flexllm(args);
  assert.equal(code, 4, stderr);
  assert.ok(performance.now() - startTime < LONGEST);
  assert.ok(billed() <= budget + 1e-9, `billed $${billed()}, but the budget is $${budget}`);
  assert.ok(billed() > 0);
}
