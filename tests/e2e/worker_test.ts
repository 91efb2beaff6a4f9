/** Batches that several processes share: `flexllm batch --redis` and `flexllm worker`. */
import assert from "node:assert/strict";
import { flexllm, type Running, type RunOptions, start } from "../support/cli.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";
import { type WatchedMock, watchedMock } from "../support/watched_mock.ts";

const ignore = redisServer === undefined;

function questions(count: number): string {
  return Array.from({ length: count }, (_, i) => `{"q":"Question ${i}."}\n`).join("");
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!await condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Expects every index once, in order, each with the answer to its own prompt. */
function assertComplete(text: string, count: number): void {
  const records = jsonLines(text);
  assert.deepEqual(records.map(({ index }) => index), Array.from({ length: count }, (_, i) => i));
  for (const { index, status, output } of records) {
    assert.equal(status, "success");
    assert.ok(output.startsWith(`You asked: "Question ${index}."`), output);
  }
}

/** The prompts that the server received more than once, and how many more requests that were. */
function repeated(mock: WatchedMock): number {
  return [...mock.counts().values()].reduce((sum, count) => sum + count - 1, 0);
}

/** A fleet of real processes around one Redis server and one model server. */
class Processes implements AsyncDisposable {
  readonly redis: RedisServer;
  readonly mock: WatchedMock;
  readonly #running: Running[] = [];

  private constructor(redis: RedisServer, mock: WatchedMock) {
    this.redis = redis;
    this.mock = mock;
  }

  static async start(delay: [number, number] = [0.005, 0.03]): Promise<Processes> {
    const mock = await watchedMock({ delay, length: 40, seed: 1 });
    return new Processes(await RedisServer.start(), mock);
  }

  run(args: string[], options?: RunOptions): Running {
    const running = start([...args, "--redis", this.redis.url], options);
    this.#running.push(running);
    return running;
  }

  worker(...args: string[]): Running {
    return this.run(["worker", "--base-url", this.mock.baseUrl, ...args]);
  }

  batch(input: string, output: string, ...args: string[]): Running {
    const model = ["-m", "small", "--base-url", this.mock.baseUrl];
    return this.run(["batch", input, "-o", output, ...model, ...args]);
  }

  // deno-lint-ignore no-explicit-any
  async status(): Promise<any> {
    const { stdout, stderr } = await this.run(["worker", "status", "--json"]).finished;
    assert.equal(stderr, "");
    return JSON.parse(stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running) await running[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
    await this.mock[Symbol.asyncDispose]();
  }
}

Deno.test({
  name: "a batch and two workers send every record once, and the summary counts the workers",
  ignore,
  async fn() {
    using folder = temporaryFolder();
    await using fleet = await Processes.start();
    const input = folder.write("in.jsonl", questions(300));
    const workers = [fleet.worker("-c", "4"), fleet.worker("-c", "4", "--name", "second")];
    await until(async () => (await fleet.status()).workers.length === 2);
    const batch = await fleet.batch(input, folder.file("out.jsonl"), "-c", "4", "--json").finished;
    assert.equal(batch.code, 0, batch.stderr);
    assertComplete(folder.read("out.jsonl"), 300);
    assert.equal(fleet.mock.requests.length, 300);
    assert.match(batch.stderr, /Job \w+ at redis:\/\/127\.0\.0\.1:\d+: workers can join/);
    assert.match(batch.stderr, /Sent by this process and 2 other workers\./);
    const { fleet: summary, succeeded, by_model } = JSON.parse(batch.stdout);
    assert.equal(succeeded, 300);
    assert.deepEqual(
      summary.workers.map(({ embedded }: { embedded: boolean }) => embedded).toSorted(),
      [false, false, true],
    );
    assert.ok(summary.workers.some(({ name }: { name: string }) => name === "second"));
    assert.equal(summary.duplicate_answers, 0);
    // Also what the other processes sent.
    assert.equal(by_model[0].requests, 300);
    for (const worker of workers) worker.signal("SIGTERM");
    for (const worker of workers) {
      const { code, stderr } = await worker.finished;
      assert.equal(code, 0, stderr);
      assert.match(stderr, /Worker stopped: \d+ records answered, 0 failed/);
    }
  },
});

Deno.test({
  name: "the records of a killed worker go to others; only as many as it had slots are sent again",
  ignore,
  async fn() {
    using folder = temporaryFolder();
    await using fleet = await Processes.start();
    const input = folder.write("in.jsonl", questions(200));
    const killed = fleet.worker("-c", "8");
    const batch = fleet.batch(input, folder.file("out.jsonl"), "--workers-only", "--lease", "2");
    await until(() => fleet.mock.requests.length >= 50);
    killed.signal("SIGKILL");
    fleet.worker("-c", "8");
    const { code, stderr } = await batch.finished;
    assert.equal(code, 0, stderr);
    assertComplete(folder.read("out.jsonl"), 200);
    // In flight, or answered in the last moment and not delivered yet.
    assert.ok(repeated(fleet.mock) <= 8, `${repeated(fleet.mock)} sent again`);
  },
});

Deno.test({
  name: "SIGTERM lets a worker finish what it has sent, and nothing is sent twice",
  ignore,
  async fn() {
    using folder = temporaryFolder();
    await using fleet = await Processes.start();
    const input = folder.write("in.jsonl", questions(200));
    const leaving = fleet.worker("-c", "8");
    const batch = fleet.batch(input, folder.file("out.jsonl"), "--workers-only");
    await until(() => fleet.mock.requests.length >= 50);
    leaving.signal("SIGTERM");
    const { code, stderr } = await leaving.finished;
    assert.equal(code, 0, stderr);
    fleet.worker("-c", "8", "--exit-when-done");
    const finished = await batch.finished;
    assert.equal(finished.code, 0, finished.stderr);
    assertComplete(folder.read("out.jsonl"), 200);
    assert.equal(repeated(fleet.mock), 0);
  },
});

Deno.test({
  name: "a killed batch is resumed by the same command, while its worker waits",
  ignore,
  async fn() {
    using folder = temporaryFolder();
    await using fleet = await Processes.start();
    const input = folder.write("in.jsonl", questions(300));
    const args = [input, folder.file("out.jsonl"), "--workers-only"] as const;
    const worker = fleet.worker("-c", "8", "--exit-when-done");
    const killed = fleet.batch(...args);
    await until(() => fleet.mock.requests.length >= 60);
    killed.signal("SIGKILL");
    await killed.finished;
    const { code, stderr } = await fleet.batch(...args).finished;
    assert.equal(code, 0, stderr);
    assertComplete(folder.read("out.jsonl"), 300);
    assert.equal(repeated(fleet.mock), 0);
    const left = await worker.finished;
    assert.equal(left.code, 0, left.stderr);
  },
});

Deno.test({
  name: "Ctrl-C stops a batch, which its command resumes",
  ignore,
  async fn() {
    using folder = temporaryFolder();
    await using fleet = await Processes.start();
    const input = folder.write("in.jsonl", questions(200));
    const args = [input, folder.file("out.jsonl")] as const;
    fleet.worker("-c", "4");
    const stopped = fleet.batch(...args);
    await until(() => fleet.mock.requests.length >= 40);
    stopped.signal("SIGINT");
    const first = await stopped.finished;
    assert.equal(first.code, 130, first.stderr);
    assert.match(first.stderr, /To resume: flexllm batch/);
    const second = await fleet.batch(...args).finished;
    assert.equal(second.code, 0, second.stderr);
    assertComplete(folder.read("out.jsonl"), 200);
    assert.equal(repeated(fleet.mock), 0);
  },
});

Deno.test({
  name: "a worker with another model refuses the job, and the batch says why",
  ignore,
  async fn() {
    using folder = temporaryFolder();
    await using fleet = await Processes.start();
    const input = folder.write("in.jsonl", questions(10));
    const output = folder.file("out.jsonl");
    const batch = fleet.batch(input, output, "--workers-only", "--job", "answers");
    const other = await fleet.worker("-m", "large", "--job", "answers", "--exit-when-done")
      .finished;
    assert.equal(other.code, 1);
    assert.match(other.stderr, /the job uses small, but this worker has -m large/);
    const waiting = fleet.worker("-m", "large", "--name", "wrong");
    await until(async () => (await fleet.status()).workers[0]?.state === "refused");
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const right = fleet.worker("--idle-exit", "1");
    const { code, stderr } = await batch.finished;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /worker wrong cannot take part: the job uses small/);
    assertComplete(folder.read("out.jsonl"), 10);
    assert.equal((await right.finished).code, 0);
    waiting.signal("SIGTERM");
    assert.equal((await waiting.finished).code, 0);
  },
});

Deno.test({
  name: "a job does not make a worker send its key to a server that only the job names",
  ignore,
  async fn() {
    using folder = temporaryFolder();
    await using fleet = await Processes.start();
    const input = folder.write("in.jsonl", questions(3));
    const batch = fleet.batch(input, folder.file("out.jsonl"), "--workers-only", "--job", "trap");
    for (const name of ["OPENAI_API_KEY", "FLEXLLM_API_KEY"]) {
      const worker = fleet.run(["worker", "--job", "trap", "--exit-when-done"], {
        env: { [name]: "sk-secret-secret" },
      });
      const { code, stderr } = await worker.finished;
      assert.equal(code, 1, stderr);
      assert.match(
        stderr,
        /the job's server http:\/\/127\.0\.0\.1:\d+\/v1 is not named on this machine/,
      );
    }
    assert.equal(fleet.mock.requests.length, 0);
    fleet.worker();
    assert.equal((await batch.finished).code, 0);
  },
});

Deno.test({
  name: "a batch with --workers-only needs neither a key nor a server of its own",
  ignore,
  async fn() {
    using folder = temporaryFolder();
    await using fleet = await Processes.start();
    const input = folder.write("in.jsonl", questions(20));
    const args = ["-o", folder.file("out.jsonl"), "-m", "gpt-5.4-mini", "--workers-only"];
    const batch = fleet.run(["batch", input, ...args]);
    fleet.worker();
    const { code, stderr } = await batch.finished;
    assert.equal(code, 0, stderr);
    assertComplete(folder.read("out.jsonl"), 20);
    assert.equal(fleet.mock.requests[0].model, "gpt-5.4-mini");
  },
});

Deno.test({
  name: "worker status lists jobs and workers",
  ignore,
  async fn() {
    using folder = temporaryFolder();
    await using fleet = await Processes.start([0.5, 0.5]);
    const input = folder.write("in.jsonl", questions(100));
    const batch = fleet.batch(input, folder.file("out.jsonl"), "--job", "answers", "-c", "2");
    fleet.worker("-c", "3", "--name", "other");
    await until(async () => {
      const { workers } = await fleet.status();
      return workers.length === 2 && workers.every((each: { job: string }) => each.job);
    });
    const { jobs: [job], workers } = await fleet.status();
    assert.deepEqual([job.id, job.model, job.total, job.active], ["answers", "small", 100, true]);
    assert.equal(job.workers.length, 2);
    assert.deepEqual(
      workers.map(({ concurrency }: { concurrency: number }) => concurrency).toSorted(),
      [2, 3],
    );
    const { stdout } = await fleet.run(["worker", "status"]).finished;
    assert.match(stdout, /^redis:\/\/127\.0\.0\.1:\d+: 1 job, 2 workers$/m);
    assert.match(stdout, /^answers +small +running/m);
    assert.match(stdout, /^other +working +answers/m);
    batch.signal("SIGKILL");
    await batch.finished;
  },
});

Deno.test("without a Redis server, the flags of a fleet are refused by name", async () => {
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", questions(2));
  const batch = ["batch", input, "-o", folder.file("out.jsonl"), "-m", "mock"];
  for (const flags of [["--job", "x"], ["--workers-only"], ["--hedge"], ["--lease", "5"]]) {
    const { code, stderr } = await flexllm([...batch, ...flags]);
    assert.equal(code, 1);
    assert.ok(stderr.includes(`${flags[0]} needs a Redis server`), stderr);
  }
  const { code, stderr } = await flexllm(["worker"]);
  assert.equal(code, 1);
  assert.match(stderr, /no Redis server is named\nAdd --redis URL, set FLEXLLM_REDIS_URL/);
  const plain = await flexllm(batch);
  assert.equal(plain.code, 0);
  assert.doesNotMatch(plain.stderr, /redis|worker|Job/i);
});

Deno.test("an address at which no Redis server answers is an error at the start", async () => {
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", questions(2));
  const batch = ["batch", input, "-o", folder.file("out.jsonl"), "-m", "mock"];
  for (const args of [batch, ["worker"], ["worker", "status"]]) {
    const { code, stderr, stdout } = await flexllm([...args, "--redis", "redis://127.0.0.1:1"]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(
      stderr,
      /error: Redis at redis:\/\/127\.0\.0\.1:1 cannot be used: the connection was/,
    );
    assert.doesNotMatch(stderr, /\n {4}at /);
  }
});

Deno.test({
  name: "flags that need live requests of this process are refused with those of a fleet",
  ignore,
  async fn() {
    using folder = temporaryFolder();
    await using fleet = await Processes.start();
    const input = folder.write("in.jsonl", questions(2));
    const output = folder.file("out.jsonl");
    const via = await fleet.batch(input, output, "--via", "provider", "--hedge").finished;
    assert.equal(via.code, 1);
    assert.match(via.stderr, /--hedge and --via provider exclude each other/);
    const several = await fleet.batch(input, output, "-m", "large", "--job", "one").finished;
    assert.equal(several.code, 1);
    assert.match(several.stderr, /--job names one job, but each of several models is a job/);
  },
});

Deno.test({
  name: "several models are several jobs, which one worker works on",
  ignore,
  async fn() {
    using folder = temporaryFolder();
    await using fleet = await Processes.start();
    const input = folder.write("in.jsonl", questions(20));
    const batch = fleet.batch(input, folder.file("out.jsonl"), "-m", "large", "--workers-only");
    fleet.worker("--exit-when-done");
    const { code, stderr } = await batch.finished;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Done: 40 of 40 results/);
    assert.equal(fleet.mock.requests.length, 40);
  },
});

Deno.test({
  name: "the cache flag of a batch holds for its workers as well",
  ignore,
  async fn() {
    using folder = temporaryFolder();
    await using fleet = await Processes.start();
    const input = folder.write("in.jsonl", questions(20));
    const send = (name: string, ...flags: string[]) =>
      fleet.batch(input, folder.file(`${name}.jsonl`), "--workers-only", ...flags).finished;
    const cache = folder.write("config.yaml", "cache: true\n");
    fleet.worker("-c", "4", "--config", cache);
    for (const [name, flag, sent] of [["a", "--cache", 20], ["b", "--cache", 20]] as const) {
      const { code, stderr } = await send(name, flag);
      assert.equal(code, 0, stderr);
      assertComplete(folder.read(`${name}.jsonl`), 20);
      assert.equal(fleet.mock.requests.length, sent);
    }
    // Also if the configuration of the worker has one.
    assert.equal((await send("c", "--no-cache")).code, 0);
    assert.equal(fleet.mock.requests.length, 40);
  },
});

Deno.test({
  name: "--workers-only needs no key for configured endpoints",
  ignore,
  async fn() {
    using folder = temporaryFolder();
    await using fleet = await Processes.start();
    const input = folder.write("in.jsonl", questions(10));
    const config = folder.write(
      "config.yaml",
      `batch:\n  endpoints:\n    - {model: small, base_url: "${fleet.mock.baseUrl}", ` +
        "api_key: '${TEST_FLEET_KEY}'}\n",
    );
    fleet.run(["worker", "--config", config], { env: { TEST_FLEET_KEY: "k" } });
    const { code, stderr } = await fleet.run([
      ...["batch", input, "-o", folder.file("out.jsonl"), "--config", config, "--workers-only"],
    ]).finished;
    assert.equal(code, 0, stderr);
    assertComplete(folder.read("out.jsonl"), 10);
  },
});

/** A configuration with a model that costs $0.001 per token. */
function pricedModel(baseUrl: string): string {
  return `models:\n  - id: small\n    base_url: "${baseUrl}"\n` +
    "    price: {input: 1000, output: 1000}\n";
}

Deno.test({
  name: "a batch and its workers spend from one budget",
  ignore,
  async fn() {
    using folder = temporaryFolder();
    await using fleet = await Processes.start();
    const config = folder.write("config.yaml", pricedModel(fleet.mock.baseUrl));
    const input = folder.write("in.jsonl", questions(300));
    for (let i = 0; i < 2; i++) fleet.run(["worker", "-c", "4", "--config", config]);
    await until(async () => (await fleet.status()).workers.length === 2);
    const { code, stderr } = await fleet.run([
      ...["batch", input, "-o", folder.file("out.jsonl"), "-m", "small", "--config", config],
      ...["--max-tokens", "60", "--budget", "1", "-c", "4"],
    ]).finished;
    assert.equal(code, 4, stderr);
    assert.match(stderr, /the budget of \$1 does not allow the next request/);
    const lines = jsonLines(folder.read("out.jsonl"));
    const spent = lines.reduce((sum, { cost }) => sum + (cost ?? 0), 0);
    assert.ok(spent <= 1 && spent > 0.7, `${spent}`);
    // Everything that the server was paid for is in the result file.
    const answered = lines.filter(({ status }) => status === "success").length;
    assert.equal(fleet.mock.requests.length, answered);
  },
});
