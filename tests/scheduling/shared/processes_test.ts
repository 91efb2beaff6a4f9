/** Processes that share limits through a real server, measured at the server that they send their requests to. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type LimitsOrder, runLimitsWorker } from "../../support/limits_worker.ts";
import { RedisServer, redisServer } from "../../support/redis_server.ts";
import { mostWithin } from "../../support/shared_senders.ts";

const ORDER = "FLEXLLM_TEST_LIMITS_ORDER";
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A model server that counts what it gets. Each answer costs 0.02 USD: 10 tokens, and 10 for the prompt. */
class Upstream implements AsyncDisposable {
  /** When the requests have arrived. */
  readonly arrivals: number[] = [];
  billed = 0;
  inFlight = 0;
  most = 0;

  private constructor(readonly server: Server, readonly port: number) {}

  static async start(latency: number): Promise<Upstream> {
    const server = createServer((request, response) => {
      upstream.arrivals.push(performance.now());
      upstream.billed += 0.02;
      upstream.most = Math.max(upstream.most, ++upstream.inFlight);
      response.on("close", () => upstream.inFlight--);
      request.resume();
      setTimeout(() => {
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({
          model: "m",
          choices: [{
            index: 0,
            finish_reason: "stop",
            message: { role: "assistant", content: "Hi" },
          }],
          usage: { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 },
        }));
      }, latency);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const upstream: Upstream = new Upstream(server, port);
    return upstream;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Another process. */
class Worker implements AsyncDisposable {
  answers = 0;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #ready = Promise.withResolvers<void>();

  constructor(order: LimitsOrder) {
    const file = fileURLToPath(import.meta.url);
    // Only Deno has `version.deno`.
    const args = "deno" in process.versions ? ["run", "--quiet", "-A", file] : [file];
    this.#child = spawn(process.execPath, args, {
      env: { ...process.env, [ORDER]: JSON.stringify(order) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child.stdout!.on("data", (chunk) => {
      const text = String(chunk);
      if (text.includes("ready")) this.#ready.resolve();
      this.answers = Number(text.trim().split("\n").at(-1)) || this.answers;
    });
    this.#ended = once(this.#child, "close");
  }

  async ready(): Promise<this> {
    await Promise.race([this.#ready.promise, this.#ended.then(() => assert.fail("it has ended"))]);
    return this;
  }

  signal(signal: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void {
    process.kill(this.#child.pid!, signal);
  }

  async end(): Promise<void> {
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.signal("SIGKILL");
    await this.#ended;
  }
}

const order = process.env[ORDER];
if (order !== undefined) {
  await runLimitsWorker(JSON.parse(order));
} else {
  const ignore = redisServer === undefined || process.platform === "win32";

  Deno.test(
    "Processes keep to one rate, also when one of them is suspended and killed",
    { ignore },
    async () => {
      await using redis = await RedisServer.start();
      await using upstream = await Upstream.start(20);
      const order = {
        redis: redis.url,
        baseUrl: upstream.baseUrl,
        concurrencyLimit: 20,
        maxQps: 100,
        seconds: 60,
      };
      const workers = [new Worker(order), new Worker(order), new Worker(order)];
      await using a = workers[0];
      await using b = workers[1];
      await using c = workers[2];
      await Promise.all([a, b, c].map((each) => each.ready()));
      await sleep(1500);
      const [from, count] = [performance.now(), upstream.arrivals.length];
      await sleep(3000);
      const rate = (upstream.arrivals.length - count) * 1000 / (performance.now() - from);
      a.signal("SIGSTOP");
      await sleep(5000);
      a.signal("SIGCONT");
      await sleep(1000);
      b.signal("SIGKILL");
      await sleep(2000);
      const most = mostWithin(upstream.arrivals, 1000);
      // A busy machine delays some requests on their way, into a later second.
      assert(most <= 105, `${most}`);
      assert(rate >= 70, `${rate}`);
    },
  );

  Deno.test("Processes spend one budget, also when one of them is killed", { ignore }, async () => {
    await using redis = await RedisServer.start();
    await using upstream = await Upstream.start(20);
    const limit = 10;
    const order = {
      redis: redis.url,
      baseUrl: upstream.baseUrl,
      concurrencyLimit: 10,
      budget: { name: "b", limit },
      seconds: 60,
    };
    await using killed = new Worker(order);
    await killed.ready();
    await sleep(100);
    killed.signal("SIGKILL");
    await using b = new Worker(order);
    await using c = new Worker(order);
    await Promise.all([b.end(), c.end()]);
    assert(upstream.billed <= limit + 1e-9, `${upstream.billed}`);
    // The killed process has lost what it held: up to 10 requests of at most 0.04, and what it took ahead.
    assert(upstream.billed > limit * 0.9, `${upstream.billed}`);
    assert(b.answers > 0 && c.answers > 0);
  });

  Deno.test("Processes keep to one number of requests in flight", { ignore }, async () => {
    await using redis = await RedisServer.start();
    await using upstream = await Upstream.start(30);
    const order = {
      redis: redis.url,
      baseUrl: upstream.baseUrl,
      concurrencyLimit: 20,
      maxInFlight: 12,
      seconds: 4,
    };
    await using a = new Worker(order);
    await using b = new Worker(order);
    await Promise.all([a.end(), b.end()]);
    assert(upstream.most <= 12, `${upstream.most}`);
    assert(a.answers > 0 && b.answers > 0);
  });
}
