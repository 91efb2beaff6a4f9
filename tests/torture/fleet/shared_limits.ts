/** Checks at the upstream server that processes keep to shared limits, whatever happens to them or to Redis. */
import assert from "node:assert/strict";
import { RedisServer } from "../../support/redis_server.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { sleep, until } from "../running.ts";
import type { Meter } from "./metered_upstream.ts";
import { Program } from "./program.ts";
import type { SenderOrder } from "./sender.ts";
import type { Stall } from "./stalls.ts";

const PROCESSES = 3;

/** What happens to the first process, or to Redis. */
export const LIMIT_FAULTS = [
  "nothing",
  "a process is frozen",
  "a process is killed",
  "Redis is frozen",
  "Redis comes back empty",
  "a process is cut off",
  "a link of 200 ms",
  "a clock jumps ahead",
  "a clock jumps back",
] as const;

export type LimitFault = typeof LIMIT_FAULTS[number];

const HOUR = 3_600_000;

/** What the upstream server has seen. */
export interface LimitOutcome {
  fault: LimitFault;
  /** The highest number of requests in a second, as a share of the limit. */
  peak: number;
  /** The same, without those that a busy machine has delayed. */
  excess: number;
  /** Requests per second, as a share of the limit. */
  used: number;
  /** USD that the server has billed, of the budget. */
  billed?: number;
  seconds: number;
}

class Senders implements AsyncDisposable {
  readonly #redis: RedisServer;
  readonly #proxies: readonly TcpProxy[];
  readonly #order: Omit<SenderOrder, "name" | "redis">;
  readonly all: Program[] = [];

  constructor(
    redis: RedisServer,
    proxies: readonly TcpProxy[],
    order: Omit<SenderOrder, "name" | "redis">,
  ) {
    this.#redis = redis;
    this.#proxies = proxies;
    this.#order = order;
  }

  start(clockJump?: number): Program {
    const number = this.all.length;
    const redis = this.#proxies[number % PROCESSES].redisUrl;
    const sender = new Program("sender.ts", {
      ...this.#order,
      name: `sender ${number}`,
      redis,
      clockJump,
    });
    this.all.push(sender);
    return sender;
  }

  /** Starts the processes; the clock of the first one may jump. */
  startAll(fault: LimitFault): void {
    const jump = { "a clock jumps ahead": HOUR, "a clock jumps back": -HOUR }[fault as string];
    for (let i = 0; i < PROCESSES; i++) this.start(i === 0 ? jump : undefined);
  }

  async inflict(fault: LimitFault, seconds: number): Promise<void> {
    const [first] = this.all;
    const [proxy] = this.#proxies;
    if (fault === "a process is frozen") {
      first.signal("SIGSTOP");
      await sleep(seconds * 1000);
      first.signal("SIGCONT");
    } else if (fault === "a process is killed") {
      await first.kill();
      this.start();
    } else if (fault === "Redis is frozen") {
      this.#redis.freeze();
      await sleep(seconds * 1000);
      this.#redis.thaw();
    } else if (fault === "Redis comes back empty") {
      await this.#redis.kill();
      await sleep(seconds * 1000);
      await this.#redis.restart(true);
    } else if (fault === "a process is cut off") {
      proxy.partition();
      await sleep(seconds * 1000);
      proxy.heal();
    } else if (fault === "a link of 200 ms") {
      for (const each of this.#proxies) each.latency = 100;
    }
  }

  /** Problems that senders have printed. */
  get problems(): string[] {
    return this.all.flatMap(({ lines }) => lines).filter((line) => /^(failed|wrong)/.test(line));
  }

  get stalls(): Stall[] {
    return this.all.flatMap(({ lines }) => lines)
      .filter((line) => line.startsWith("stall"))
      .map((line) => line.split(" ").slice(1).map(Number) as Stall)
      // A process that was frozen must not make up for it.
      .filter(([from, to]) => to - from < 1000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const sender of this.all) {
      sender.signal("SIGCONT");
      await sender.kill();
    }
  }
}

async function upstreamOf(delay: number) {
  const upstream = new Program("metered_upstream.ts", { host: "127.0.0.1", delay });
  await until(() => upstream.lines.length > 0);
  const [baseUrl] = upstream.lines;
  const meter = async (): Promise<Meter> => await (await fetch(baseUrl)).json();
  return { baseUrl, meter, [Symbol.asyncDispose]: () => upstream.kill() };
}

/** The milliseconds of `stalls` between two times. */
function stalledWithin(stalls: readonly Stall[], from: number, to: number): number {
  return stalls.reduce(
    (sum, [start, end]) => sum + Math.max(0, Math.min(end, to) - Math.max(start, from)),
    0,
  );
}

/**
 * The highest number of requests within a second, and the part of it that stalls do not explain: what a stall
 * delays, on its way or while it is recorded, is counted in a later second.
 */
function peaks(times: readonly number[], stalls: readonly Stall[], limit: number) {
  let peak = 0;
  let excess = 0;
  for (let first = 0, last = 0; last < times.length; last++) {
    while (times[last] - times[first] >= 1000) first++;
    const count = last - first + 1;
    peak = Math.max(peak, count);
    if (count <= limit) continue;
    const stalled = stalledWithin(stalls, times[first] - 1000, times[last]);
    excess = Math.max(excess, count - Math.ceil(limit * (1 + stalled / 1000)));
  }
  return { peak: peak / limit, excess: excess / limit };
}

/** The share of the limit that may be late besides: requests in transit that open connections on a busy machine. */
const LATE = 0.04;

/** Lets three processes send at a shared rate, and checks every second at the upstream server. */
export async function checkRate(
  fault: LimitFault,
  { perSecond = 60, seconds = 5 } = {},
): Promise<LimitOutcome> {
  const begin = performance.now();
  await using upstream = await upstreamOf(30);
  await using redis = await RedisServer.start();
  const proxies = await Promise.all(
    Array.from({ length: PROCESSES }, () => TcpProxy.start(redis.port)),
  );
  try {
    await using senders = new Senders(redis, proxies, {
      baseUrl: upstream.baseUrl,
      concurrency: 40,
      maxQps: perSecond,
    });
    senders.startAll(fault);
    await until(() => senders.all.every(({ lines }) => lines.includes("started")));
    await sleep(1500);
    await senders.inflict(fault, seconds);
    await sleep(seconds * 1000);
    const { arrivals, stalls } = await upstream.meter();
    assert.deepEqual(senders.problems, []);
    const times = arrivals.map(([time]) => time).sort((a, b) => a - b);
    const { peak, excess } = peaks(times, [...stalls, ...senders.stalls], perSecond);
    const used = times.length * 1000 / (times.at(-1)! - times[0]) / perSecond;
    assert.ok(
      excess <= LATE,
      `${fault}: ${Math.round(peak * perSecond)} requests in a second, limit ${perSecond}`,
    );
    return { fault, peak, excess, used, seconds: (performance.now() - begin) / 1000 };
  } finally {
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  }
}

/** Lets three processes spend a shared budget, and checks what the upstream server has billed. */
export async function checkBudget(
  fault: LimitFault,
  { budget = 9, seconds = 2 } = {},
): Promise<LimitOutcome> {
  const begin = performance.now();
  await using upstream = await upstreamOf(200);
  await using redis = await RedisServer.start();
  const proxies = await Promise.all(
    Array.from({ length: PROCESSES }, () => TcpProxy.start(redis.port)),
  );
  try {
    await using senders = new Senders(redis, proxies, {
      baseUrl: upstream.baseUrl,
      concurrency: 6,
      budget,
    });
    senders.startAll(fault);
    const billed = async () => (await upstream.meter()).tokens / 1000;
    while (await billed() < budget / 4) await sleep(20);
    await senders.inflict(fault, seconds);
    await until(() => senders.all.every(({ hasEnded }) => hasEnded));
    // Answers to processes that were killed are billed as well.
    await sleep(500);
    const amount = await billed();
    const wrong = senders.problems.filter((line) => !/BudgetExceeded/.test(line));
    assert.deepEqual(wrong, []);
    assert.ok(amount <= budget * 1.000001, `${fault}: billed $${amount} of $${budget}`);
    // A killed process takes what it held with it, a hundredth of the budget and its requests.
    assert.ok(amount >= budget * 0.7, `${fault}: billed only $${amount} of $${budget}`);
    const rest = { peak: NaN, excess: 0, used: amount / budget };
    return { fault, ...rest, billed: amount, seconds: (performance.now() - begin) / 1000 };
  } finally {
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  }
}
