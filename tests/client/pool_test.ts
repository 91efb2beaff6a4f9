import assert from "node:assert/strict";
import { LLMClientPool } from "../../lib/client/pool.ts";
import type { PoolOptions } from "../../lib/client/client_options.ts";
import { HttpError } from "../../lib/errors.ts";
import { seededRandom } from "../../lib/runtime/random.ts";
import type { LoadBalance } from "../../lib/scheduling/load_balancer.ts";
import { EndpointLimits, type SharedLimits } from "../../lib/scheduling/endpoint_limits.ts";
import { RateLimiter } from "../../lib/scheduling/rate_limiter.ts";
import { type RunOptions, Scheduler } from "../../lib/scheduling/scheduler.ts";
import { startRawServer } from "../support/raw_server.ts";
import { VirtualClock } from "../support/virtual_clock.ts";
import { watchedMock } from "../support/watched_mock.ts";

const HELLO = [{ role: "user" as const, content: "Hello!" }];

interface TestTarget {
  name: string;
  limits: EndpointLimits;
  weight: number;
  send: () => Promise<string>;
}

interface TargetOptions {
  concurrency?: number;
  weight?: number;
  maxQps?: number;
  failureThreshold?: number;
  recoveryTime?: number;
  shared?: SharedLimits;
}

const ANSWER = () => Promise.resolve("answer");
const FAILURE = () => Promise.reject(new HttpError("broken", { status: 500 }));

function targetOf(
  name: string,
  send: () => Promise<string>,
  options: TargetOptions = {},
): TestTarget {
  const limits = new EndpointLimits({
    concurrency: options.concurrency ?? 10,
    maxQps: options.maxQps,
    maxTpm: undefined,
    adaptive: false,
    failureThreshold: options.failureThreshold,
    recoveryTime: options.recoveryTime,
    shared: options.shared,
    random: () => 0.5,
  }, false);
  return { name, limits, send, weight: options.weight ?? 1 };
}

function poolOf(targets: TestTarget[], loadBalance: LoadBalance, clock = new VirtualClock()) {
  const scheduler = new Scheduler(targets, {
    loadBalance,
    fallback: true,
    retryTimes: 3,
    retryDelay: 1,
    maxWait: 600,
    clock,
    random: seededRandom(7),
  });
  const run = (options: RunOptions<TestTarget> = {}) =>
    scheduler.run(async ({ target }) => {
      await target.send();
      return target.name;
    }, options);
  return { clock, run };
}

async function namesOf(run: () => Promise<string>, count: number): Promise<string[]> {
  const names: string[] = [];
  for (let i = 0; i < count; i++) names.push(await run());
  return names;
}

function count(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

Deno.test("round_robin uses the endpoints in turn", async () => {
  const { run } = poolOf(["a", "b", "c"].map((name) => targetOf(name, ANSWER)), "round_robin");
  assert.deepEqual(await namesOf(run, 6), ["a", "b", "c", "a", "b", "c"]);
});

Deno.test("fallback uses the first endpoint while it is up, even if it is full", async () => {
  const clock = new VirtualClock();
  const slow = () => clock.sleep(100).then(() => "answer");
  const { run } = poolOf(
    [targetOf("a", slow, { concurrency: 1 }), targetOf("b", slow)],
    "fallback",
    clock,
  );
  const names = await clock.run(Promise.all([run(), run(), run()]));
  assert.deepEqual(names, ["a", "a", "a"]);
  assert.equal(clock.now(), 300);
});

Deno.test("weighted follows the weights: chi-square over 6,000 draws", async () => {
  const weights = { a: 1, b: 2, c: 3 };
  const targets = Object.entries(weights).map(([name, weight]) =>
    targetOf(name, ANSWER, { weight })
  );
  const { run } = poolOf(targets, "weighted");
  const counts = count(await namesOf(run, 6000));
  let chiSquare = 0;
  for (const [name, weight] of Object.entries(weights)) {
    const expected = 6000 * weight / 6;
    chiSquare += (counts[name] - expected) ** 2 / expected;
  }
  // The 99.9 % quantile of the chi-square distribution with two degrees of freedom.
  assert.ok(chiSquare < 13.82, `${chiSquare}: ${JSON.stringify(counts)}`);
});

Deno.test("random is uniform: chi-square over 3,000 draws", async () => {
  const { run } = poolOf(["a", "b", "c"].map((name) => targetOf(name, ANSWER)), "random");
  const counts = count(await namesOf(run, 3000));
  const chiSquare = Object.values(counts)
    .reduce((sum, found) => sum + (found - 1000) ** 2 / 1000, 0);
  assert.ok(chiSquare < 13.82, `${chiSquare}: ${JSON.stringify(counts)}`);
});

Deno.test("least_busy fills the slots evenly", async () => {
  const clock = new VirtualClock();
  const slow = () => clock.sleep(100).then(() => "answer");
  const targets = [
    targetOf("a", slow, { concurrency: 20 }),
    targetOf("b", slow, { concurrency: 10 }),
  ];
  const { run } = poolOf(targets, "least_busy", clock);
  const names = await clock.run(Promise.all(Array.from({ length: 15 }, () => run())));
  assert.deepEqual(count(names), { a: 10, b: 5 });
});

Deno.test("latency uses the fastest endpoint once all are measured", async () => {
  const clock = new VirtualClock();
  const taking = (ms: number) => () => clock.sleep(ms).then(() => "answer");
  const targets = [
    targetOf("a", taking(100)),
    targetOf("b", taking(10)),
    targetOf("c", taking(50)),
  ];
  const { run } = poolOf(targets, "latency", clock);
  const names = await clock.run(namesOf(run, 10));
  assert.deepEqual(names.slice(0, 3).toSorted(), ["a", "b", "c"]);
  assert.deepEqual(new Set(names.slice(3)), new Set(["b"]));
});

Deno.test("endpoint faults move to another endpoint immediately, other errors don't", async () => {
  const clock = new VirtualClock();
  const { run } = poolOf([targetOf("a", FAILURE), targetOf("b", ANSWER)], "fallback", clock);
  assert.equal(await run(), "b");
  assert.equal(clock.now(), 0);
  let requested = 0;
  const refuse = () => {
    requested++;
    return Promise.reject(new HttpError("bad request", { status: 400 }));
  };
  const other = poolOf([targetOf("a", refuse), targetOf("b", refuse)], "fallback");
  await assert.rejects(other.run(), { status: 400 });
  assert.equal(requested, 1);
});

Deno.test("if all endpoints fail, the request is retried after a wait", async () => {
  const clock = new VirtualClock();
  const tries: string[] = [];
  const failing = (name: string) => () => {
    tries.push(name);
    return FAILURE();
  };
  const targets = [targetOf("a", failing("a")), targetOf("b", failing("b"))];
  const { run } = poolOf(targets, "round_robin", clock);
  await assert.rejects(clock.run(run()), { status: 500 });
  assert.deepEqual(tries, ["a", "b", "a", "b", "a", "b", "a", "b"]);
  assert.ok(clock.now() > 0);
});

Deno.test("an endpoint that is down gets no requests, then one probe, then requests again", async () => {
  const clock = new VirtualClock();
  let broken = true;
  const requested: number[] = [];
  const flaky = async () => {
    requested.push(clock.now());
    await clock.sleep(10);
    if (broken) throw new HttpError("broken", { status: 500 });
    return "answer";
  };
  const steady = () => clock.sleep(10).then(() => "answer");
  const targets = [
    targetOf("a", flaky, { failureThreshold: 3, recoveryTime: 60 }),
    targetOf("b", steady, { failureThreshold: 3, recoveryTime: 60 }),
  ];
  const { run } = poolOf(targets, "fallback", clock);
  const send = () => clock.run(Promise.all(Array.from({ length: 5 }, () => run())));
  for (let i = 0; i < 5; i++) await send();
  const whileDown = requested.length;
  assert.ok(whileDown <= 5 && targets[0].limits.isDown, `${whileDown}`);
  await clock.run(clock.sleep(60_000));
  assert.deepEqual(count(await send()), { b: 5 });
  assert.equal(requested.length, whileDown + 1, "a single probe");
  broken = false;
  await clock.run(clock.sleep(61_000));
  await send();
  assert.equal(targets[0].limits.isDown, false);
  assert.deepEqual(count(await send()), { a: 5 });
});

Deno.test("endpoints on the same server have separate health and limits", async () => {
  const clock = new VirtualClock();
  const targets = [targetOf("a", FAILURE, { failureThreshold: 1 }), targetOf("b", ANSWER)];
  const { run } = poolOf(targets, "round_robin", clock);
  await namesOf(run, 4);
  assert.deepEqual(targets.map(({ limits }) => limits.isDown), [true, false]);
});

/** Runs a batch over endpoints with the given latencies; returns its duration relative to the ideal. */
async function sharedQueue(latencies: number[], records: number): Promise<number> {
  const clock = new VirtualClock();
  const targets = latencies.map((latency, i) =>
    targetOf(String(i), () => clock.sleep(latency).then(() => "answer"))
  );
  const { run } = poolOf(targets, "round_robin", clock);
  let left = records;
  const work = async () => {
    while (left > 0) {
      left--;
      await run({ hooks: { waitForRecovery: true, remaining: () => left } });
    }
  };
  await clock.run(Promise.all(Array.from({ length: 10 * latencies.length }, work)));
  const perMillisecond = latencies.reduce((sum, latency) => sum + 10 / latency, 0);
  return clock.now() / (records / perMillisecond);
}

Deno.test("a shared queue over latencies of 1, 2 and 10 ends within 15 % of the ideal", async () => {
  for (const records of [200, 350, 500, 1000, 3000]) {
    const ratio = await sharedQueue([100, 200, 1000], records);
    assert.ok(ratio < 1.15, `${ratio} for ${records} records`);
  }
});

Deno.test("requests do not wait for a fast endpoint that has just gone down", async () => {
  const clock = new VirtualClock();
  let dead = false;
  const mortal = async () => {
    await clock.sleep(1);
    if (dead) throw new HttpError("gone", { status: 500 });
    return "answer";
  };
  const targets = [
    targetOf("fast", mortal),
    targetOf("slow", () => clock.sleep(50).then(() => "answer")),
  ];
  const { run } = poolOf(targets, "round_robin", clock);
  const options = { hooks: { waitForRecovery: true, remaining: () => 0 } };
  await clock.run(
    Promise.all(Array.from({ length: 20 }, () => run({ hooks: { waitForRecovery: true } }))),
  );
  dead = true;
  const names = await clock.run(Promise.all([run(options), run(options)]));
  assert.deepEqual(names, ["slow", "slow"]);
});

function mockPool(baseUrls: string[], options: Partial<PoolOptions> = {}): LLMClientPool {
  return new LLMClientPool({
    endpoints: baseUrls.map((baseUrl) => ({ baseUrl, model: "mock" })),
    retryDelay: 0.01,
    ...options,
  });
}

Deno.test("a batch over three endpoints, one of them down, has no failures", async () => {
  await using first = await watchedMock();
  await using second = await watchedMock();
  const dead = await startRawServer((socket) => socket.destroy());
  await using pool = mockPool([first.baseUrl, dead.baseUrl, second.baseUrl]);
  const inputs = Array.from({ length: 200 }, (_, i) => [{
    role: "user" as const,
    content: `Question ${i}`,
  }]);
  const { summary, results } = await pool.chatCompletionsBatch(inputs);
  await dead[Symbol.asyncDispose]();
  assert.deepEqual([summary.succeeded, summary.failed], [200, 0]);
  assert.equal(first.requests.length + second.requests.length, 200);
  assert.ok(first.requests.length > 20 && second.requests.length > 20);
  const [item] = results;
  assert.ok(item.status === "success" && item.result.endpoint.startsWith("http://127.0.0.1:"));
  const [, stats] = pool.stats;
  assert.equal(stats.state === "down" || stats.state === "probing", true);
  assert.ok(stats.failures >= 3 && stats.lastError?.code === "connection");
});

Deno.test("a stream fails over only before its first token", async () => {
  await using good = await watchedMock();
  await using broken = await watchedMock({ errorRate: 1, errorKinds: ["server_error"] });
  await using pool = mockPool([broken.baseUrl, good.baseUrl], { loadBalance: "fallback" });
  const result = await pool.chatCompletionsStream(HELLO).finalResult();
  assert.equal(result.finishReason, "stop");
  assert.equal(good.requests.length, 1);

  await using cut = await watchedMock({ errorRate: 1, errorKinds: ["disconnect"], length: 500 });
  await using other = mockPool([cut.baseUrl, good.baseUrl], { loadBalance: "fallback" });
  await assert.rejects(
    other.chatCompletionsStream(HELLO).finalResult(),
    (error: { code: string; partial: { content: string } }) =>
      error.code === "connection" && error.partial.content.length > 0,
  );
  assert.equal(good.requests.length, 1);
});

Deno.test("endpoints can differ in provider and model", async () => {
  await using mock = await watchedMock();
  const root = mock.baseUrl.replace(/\/v1$/, "");
  await using pool = new LLMClientPool({
    endpoints: [
      { baseUrl: mock.baseUrl, model: "gpt-a" },
      { provider: "claude", baseUrl: root, model: "claude-b", apiKey: "test-key" },
      { provider: "gemini", baseUrl: `${root}/v1beta`, model: "gemini-c", apiKey: "test-key" },
    ],
  });
  const models: string[] = [];
  for (let i = 0; i < 3; i++) models.push((await pool.chatCompletions(HELLO)).model);
  assert.deepEqual(models, ["gpt-a", "claude-b", "gemini-c"]);
});

Deno.test("a limit of the pool applies to all its endpoints together, including retries", async () => {
  const clock = new VirtualClock();
  const limits = { qps: new RateLimiter(10), tpm: undefined };
  const begun: number[] = [];
  const failing = () => {
    begun.push(clock.now());
    return begun.length % 3 === 0 ? FAILURE() : ANSWER();
  };
  const targets = ["a", "b", "c"].map((name) => targetOf(name, failing, { shared: limits }));
  const { run } = poolOf(targets, "round_robin", clock);
  await clock.run(Promise.all(Array.from({ length: 40 }, () => run())));
  assert.ok(begun.length > 40);
  for (const start of begun) {
    const window = begun.filter((at) => at >= start && at < start + 1000);
    assert.ok(window.length <= 10, `${window.length} in a second`);
  }
});

Deno.test("a rejected key disables its endpoint without stopping the batch", async () => {
  await using good = await watchedMock();
  await using refusing = await startRawServer((socket) =>
    socket.end("HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
  );
  await using pool = mockPool([refusing.baseUrl, good.baseUrl]);
  const { summary } = await pool.chatCompletionsBatch(Array.from({ length: 50 }, () => HELLO));
  assert.deepEqual([summary.succeeded, summary.failed], [50, 0]);
  assert.ok(refusing.requests.length <= 10, `${refusing.requests.length} refused`);
});

Deno.test("invalid options of a pool are reported with the endpoint", () => {
  const baseUrl = "http://127.0.0.1:1/v1";
  const wrong: [PoolOptions, RegExp][] = [
    [{ endpoints: [] }, /endpoints: expected at least one endpoint/],
    [{ endpoints: [{ baseUrl }, { baseUrl, weight: 0 }] }, /endpoints\[1\]: weight/],
    [{ endpoints: [{ baseUrl, concurrencyLimit: 0 }] }, /endpoints\[0\]: concurrencyLimit/],
    [{ endpoints: [{ baseUrl }], loadBalance: "fastest" as LoadBalance }, /loadBalance: expected/],
    [{ endpoints: [{ baseUrl }], failureThreshold: 0 }, /failureThreshold/],
    [{ endpoints: [{ baseUrl }], maxQps: 0 }, /maxQps/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(() => new LLMClientPool(options), { code: "configuration", message });
  }
});
