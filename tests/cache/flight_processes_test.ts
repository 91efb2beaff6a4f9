/** One flight across real processes: they ask a server that answers on demand, and one of them is killed. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openKv } from "../../lib/runtime/deno_kv.ts";
import { LLMClient } from "../../lib/client/client.ts";
import { RedisConnection } from "../../lib/redis/redis_connection.ts";
import { serve } from "../../lib/runtime/http_server.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";

const ORDER = "FLEXLLM_TEST_FLIGHT_ORDER";

interface Order {
  redis: string;
  baseUrl: string;
}

interface Report {
  content: string;
  cached: boolean;
}

/** Asks once for each line of standard input, and prints what it got. */
async function runWorker({ redis, baseUrl }: Order): Promise<void> {
  await using client = new LLMClient({
    baseUrl,
    model: "m",
    apiKey: "key",
    cache: { path: redis, onWarning: (message) => process.stderr.write(`${message}\n`) },
  });
  process.stdout.write("ready\n");
  for await (const prompt of createInterface({ input: process.stdin })) {
    const { content, cached } = await client.chatCompletions([{ role: "user", content: prompt }]);
    process.stdout.write(`${JSON.stringify({ content, cached } satisfies Report)}\n`);
  }
}

/** A process that asks, ended with the test. */
class AskingProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(order: Order) {
    const file = fileURLToPath(import.meta.url);
    // Bun runs a bundle of this file.
    const first = openKv === undefined ? [file] : ["run", "--quiet", "-A", file];
    this.#child = spawn(process.execPath, first, {
      env: { ...process.env, [ORDER]: JSON.stringify(order) },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async ready(): Promise<void> {
    assert.equal((await this.#lines.next()).value, "ready");
  }

  async ask(prompt: string): Promise<Report> {
    this.#child.stdin!.write(`${prompt}\n`);
    return JSON.parse((await this.#lines.next()).value);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    process.kill(this.#child.pid!, "SIGKILL");
    await exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** A server that answers its requests on demand: each by its function, or all at once until they are held again. */
async function heldServer() {
  const answers: (() => void)[] = [];
  let isHeld = true;
  const server = await serve("127.0.0.1", 0, async () => {
    const number = answers.length + 1;
    await new Promise<void>((resolve) => {
      answers.push(resolve);
      if (!isHeld) resolve();
    });
    const message = { role: "assistant", content: `Answer ${number}` };
    return Response.json({
      id: "1",
      object: "chat.completion",
      created: 1,
      model: "m",
      choices: [{ index: 0, finish_reason: "stop", message }],
    });
  });
  return {
    answers,
    baseUrl: `http://127.0.0.1:${server.port}/v1`,
    release() {
      isHeld = false;
      for (const answer of answers) answer();
    },
    hold: () => void (isHeld = true),
    close: () => server.close(),
  };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000;
  while (!await condition()) {
    assert.ok(performance.now() < end, "waited too long");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** How often processes have tried to claim an answer, or to set another key. */
async function claims(redis: RedisConnection): Promise<number> {
  const stats = String(await redis.command(["INFO", "commandstats"]));
  return Number(/cmdstat_set:calls=(\d+)/.exec(stats)?.[1]);
}

const order = process.env[ORDER];
if (order !== undefined) {
  await runWorker(JSON.parse(order));
} else {
  const options = { ignore: redisServer === undefined || process.platform === "win32" };

  Deno.test("processes that ask the same send one request", options, async () => {
    await using server = await RedisServer.start();
    await using redis = await RedisConnection.open(server.address());
    const upstream = await heldServer();
    const both = [1, 2].map(() => new AskingProcess({ redis: server.url, ...upstream }));
    await using one = both[0];
    await using two = both[1];
    await Promise.all([one.ready(), two.ready()]);
    // A claim lapses if its process gets no CPU for two seconds, so a busy machine has more than one attempt.
    let requests = 0;
    for (let attempt = 0; attempt < 5 && requests !== 1; attempt++) {
      const prompt = `Hello ${attempt}`;
      const earlier = upstream.answers.length;
      const first = one.ask(prompt);
      await until(() => upstream.answers.length > earlier);
      const before = await claims(redis);
      const second = two.ask(prompt);
      await until(async () => await claims(redis) > before);
      upstream.release();
      const [{ content, cached }, other] = await Promise.all([first, second]);
      requests = upstream.answers.length - earlier;
      upstream.hold();
      if (requests !== 1) continue;
      assert.deepEqual([content, cached], [`Answer ${earlier + 1}`, false]);
      assert.deepEqual(other, { content, cached: true });
    }
    assert.equal(requests, 1);
    await upstream.close();
  });

  Deno.test(
    "a process that is killed while it asks delays another for a short time only",
    options,
    async () => {
      await using server = await RedisServer.start();
      const upstream = await heldServer();
      const both = [1, 2].map(() => new AskingProcess({ redis: server.url, ...upstream }));
      await using one = both[0];
      await using two = both[1];
      await Promise.all([one.ready(), two.ready()]);
      one.ask("Hello").catch(() => {});
      await until(() => upstream.answers.length === 1);
      await one.kill();
      const second = two.ask("Hello");
      await until(() => upstream.answers.length === 2);
      upstream.answers[1]();
      assert.deepEqual(await second, { content: "Answer 2", cached: false });
      upstream.answers[0]();
      await upstream.close();
    },
  );
}
