/**
 * Kills and freezes the parts of a fleet by a seeded plan, and checks that every record is answered once, and that
 * nothing is paid twice beyond what was in flight.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { seededRandom } from "../../../lib/runtime/random.ts";
import { type Running, start } from "../../support/cli.ts";
import type { NetworkHosts } from "../../support/network_hosts.ts";
import { RedisServer } from "../../support/redis_server.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary_folder.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { HostileServer } from "../hostile_server.ts";
import { assertComplete, assertSound, inputOf, questionsOf } from "../invariants.ts";
import { sleep, until } from "../running.ts";

/** Records in progress in one process. */
const CONCURRENCY = 6;
/** Processes besides the coordinator. */
export const WORKERS = 3;

/** What can happen, and how often an answer may be paid twice because of it. */
export const FAULTS = {
  "kill a worker": CONCURRENCY,
  "freeze a worker": CONCURRENCY,
  "kill the coordinator": CONCURRENCY,
  "freeze the coordinator": CONCURRENCY,
  "kill Redis": CONCURRENCY * (WORKERS + 1),
  "freeze Redis": CONCURRENCY * (WORKERS + 1),
  "empty Redis": 3 * CONCURRENCY * (WORKERS + 1),
  "disconnect a worker's host": CONCURRENCY,
} as const;

export type Fault = keyof typeof FAULTS;

/** What became of a fleet. */
export interface FleetOutcome {
  /** The faults in their order. */
  plan: Fault[];
  records: number;
  /** Answers that were paid more than once. */
  paidAgain: number;
  /** How many of them the faults explain. */
  allowed: number;
  seconds: number;
}

/** The faults of a seed: `rounds` of those in `faults`. */
export function planOf(seed: number, rounds: number, faults: readonly Fault[]): Fault[] {
  const random = seededRandom(seed);
  return Array.from({ length: rounds }, () => faults[Math.floor(random() * faults.length)]);
}

/** How workers reach the servers: directly, or from hosts of their own. */
interface Places {
  baseUrl: string;
  redisUrl: string;
  network?: NetworkHosts;
}

class Fleet implements AsyncDisposable {
  readonly #folder: TemporaryFolder;
  readonly #places: Places;
  readonly #workers: Running[] = [];
  readonly #random: () => number;
  #redis: RedisServer;
  #coordinator: Running;

  constructor(folder: TemporaryFolder, redis: RedisServer, seed: number, places: Places) {
    this.#folder = folder;
    this.#places = places;
    this.#redis = redis;
    this.#random = seededRandom(seed + 1);
    this.#coordinator = this.#startCoordinator();
    for (let i = 0; i < WORKERS; i++) this.#workers.push(this.#startWorker(i));
  }

  get coordinator(): Running {
    return this.#coordinator;
  }

  #start(args: readonly string[], wrap = (command: readonly string[]) => [...command]): Running {
    const program = new URL("short_lease.ts", import.meta.url).pathname;
    const { baseUrl, redisUrl } = this.#places;
    const server = ["--base-url", baseUrl, "--redis", redisUrl];
    const limits = ["-c", String(CONCURRENCY), "--retry-times", "40"];
    const config = ["--config", this.#folder.file("c.yaml")];
    const command = [process.execPath, "run", "-A", "--quiet", program, ...args];
    return start([], {
      shell: ["-c", `exec "$@"`, "sh", ...wrap([...command, ...server, ...limits, ...config])],
      env: { PATH: process.env.PATH ?? "" },
    });
  }

  #startCoordinator(): Running {
    const files = [this.#folder.file("in.jsonl"), "-o", this.#folder.file("out.jsonl")];
    return this.#start(["batch", ...files, "-m", "m"]);
  }

  /**
   * Waits for the end of the batch. One that was started while Redis was away says so and ends: it is started again,
   * as its user would. Returns whether that was so.
   */
  async startAgain(): Promise<boolean> {
    const { code, stderr } = await this.#coordinator.finished;
    if (code !== 1 || !/^error: Redis at \S+ cannot be used/m.test(stderr)) return false;
    await sleep(500);
    this.#coordinator = this.#startCoordinator();
    return true;
  }

  #startWorker(number: number): Running {
    return this.#start(["worker", "-m", "m"], this.#places.network?.hosts[number].wrap);
  }

  async inflict(fault: Fault): Promise<void> {
    const some = Math.floor(this.#random() * WORKERS);
    const worker = this.#workers[some];
    const pause = 500 + this.#random() * 4500;
    if (fault === "kill a worker") {
      worker.signal("SIGKILL");
      await worker.finished;
      this.#workers[some] = this.#startWorker(some);
    } else if (fault === "kill the coordinator") {
      this.#coordinator.signal("SIGKILL");
      await this.#coordinator.finished;
      this.#coordinator = this.#startCoordinator();
    } else if (fault === "freeze a worker" || fault === "freeze the coordinator") {
      const process = fault === "freeze a worker" ? worker : this.#coordinator;
      process.signal("SIGSTOP");
      await sleep(pause);
      process.signal("SIGCONT");
    } else if (fault === "disconnect a worker's host") {
      const host = this.#places.network!.hosts[some];
      host.disconnect();
      await sleep(pause);
      host.connect();
    } else if (fault === "freeze Redis") {
      this.#redis.freeze();
      await sleep(pause);
      this.#redis.thaw();
    } else {
      await this.#redis.kill();
      await sleep(pause / 4);
      await this.#redis.restart(fault === "empty Redis");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of [this.#coordinator, ...this.#workers]) {
      await running[Symbol.asyncDispose]();
    }
  }
}

/**
 * Runs a batch on a fleet to which `plan` happens, and checks the result. With a `network`, each worker runs on a
 * host of its own.
 */
export async function surviveFaults(
  seed: number,
  plan: Fault[],
  recordsPerFault = 60,
  network?: NetworkHosts,
): Promise<FleetOutcome> {
  const begin = performance.now();
  using folder = temporaryFolder();
  await using server = await HostileServer.start({ seed, chance: 0.05, delay: 150 });
  await using redis = await RedisServer.start("--appendonly", "yes");
  const random = seededRandom(seed + 2);
  const questions = questionsOf((plan.length + 1) * recordsPerFault);
  folder.write("in.jsonl", inputOf(questions));
  folder.write("c.yaml", "batch: {retry_delay: 0.01}\n");
  const { port } = new URL(server.baseUrl);
  await using toServer = await TcpProxy.start(Number(port), network?.gateway);
  await using toRedis = await TcpProxy.start(redis.port, network?.gateway);
  const places = network === undefined
    ? { baseUrl: server.baseUrl, redisUrl: redis.url }
    : { baseUrl: toServer.url("http", "/v1"), redisUrl: toRedis.redisUrl, network };
  await using fleet = new Fleet(folder, redis, seed, places);
  let target = 0;
  for (const fault of plan) {
    target += Math.floor(recordsPerFault * (0.3 + random()));
    const count = Math.min(target, questions.length - recordsPerFault);
    await until(() => server.paid.size >= count, fleet.coordinator);
    if (fleet.coordinator.process.exitCode !== null && !await fleet.startAgain()) break;
    await fleet.inflict(fault);
  }
  while (await fleet.startAgain());
  const { code, stderr } = await fleet.coordinator.finished;
  const result = folder.read("out.jsonl");
  assertSound(result, questions);
  assert.equal(code, 0, `exit ${code} after ${plan.join(", ")}: ${stderr}`);
  assertComplete(result, questions);
  const paidAgain = [...server.paid.values()].reduce((sum, times) => sum + times - 1, 0);
  const allowed = plan.reduce((sum, fault) => sum + FAULTS[fault], 0);
  assert.ok(
    paidAgain <= allowed,
    `${paidAgain} answers were paid again, ${allowed} were in flight: ${plan.join(", ")}`,
  );
  const seconds = (performance.now() - begin) / 1000;
  return { plan, records: questions.length, paidAgain, allowed, seconds };
}
