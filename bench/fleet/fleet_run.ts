/**
 * Runs a batch on workers in processes of their own, and measures its time, its CPU time and its memory.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { RedisServer } from "../../tests/support/redis_server.ts";
import { REQUESTS_VARIABLE } from "../../lib/runtime/runtime.ts";
import { type Runtime, scratch, type Server } from "../runtimes.ts";
import { cpuOf, memoryOf } from "./process_figures.ts";

/** What to run. */
export interface FleetPlan {
  runtime: Runtime;
  upstream: Server;
  /** Worker processes; 0 for a batch without Redis. */
  workers: number;
  /** Requests at once in each of them, or in the batch without workers. */
  concurrency: number;
  records: number;
}

/** Figures of one run. */
export interface FleetFigures {
  /** Records per second, from the start of the batch command to its end. */
  perSecond: number;
  /** Milliseconds of CPU time per record: batch, workers and Redis. */
  cpu: { batch: number; worker: number; redis: number };
  /** Resident memory in MB of the first worker, after a tenth of the records and at the end. */
  memory: [early: number, late: number];
}

/** Milliseconds for workers to start before the batch does. */
const WARMUP = 2500;

function start(command: readonly string[]): ChildProcess {
  const env = { ...process.env, FLEXLLM_HOME: scratch("home"), [REQUESTS_VARIABLE]: "1000" };
  return spawn(command[0], command.slice(1), { stdio: ["ignore", "ignore", "inherit"], env });
}

let runs = 0;

/** Runs the plan once. Needs /proc. */
export async function runFleet(plan: FleetPlan): Promise<FleetFigures> {
  const { runtime, upstream, workers: count, concurrency, records } = plan;
  const number = runs++;
  const input = scratch(`fleet-${number}.jsonl`);
  const lines = Array.from({ length: records }, (_, i) => `{"q":"Question ${number}-${i}."}\n`);
  writeFileSync(input, lines.join(""));
  const flexllm = runtime.launch("main.ts");
  const model = ["--base-url", upstream.baseUrl, "-m", "bench-model", "--api-key", "key"];
  const sending = [...model, "-c", String(concurrency), "--no-adaptive", "--no-cache", "-q"];
  await using redis = await RedisServer.start();
  const shared = ["--redis", redis.url];
  const workers = Array.from(
    { length: count },
    () => start([...flexllm, "worker", ...shared, ...sending]),
  );
  try {
    await new Promise((resolve) => setTimeout(resolve, count > 0 ? WARMUP : 0));
    const before = workers.map(({ pid }) => cpuOf(pid!));
    const begin = performance.now();
    const fleet = count > 0 ? [...shared, "--workers-only"] : [];
    const files = [input, "-o", scratch(`fleet-${number}.out.jsonl`)];
    const batch = start([...flexllm, "batch", ...files, ...sending, ...fleet]);
    let cpu = 0;
    let early = NaN;
    const sample = setInterval(() => {
      try {
        cpu = cpuOf(batch.pid!);
      } catch {
        // It has just exited.
      }
      const elapsed = performance.now() - begin;
      if (count > 0 && Number.isNaN(early) && elapsed > 3000) early = memoryOf(workers[0].pid!);
    }, 20);
    const [code] = await once(batch, "exit");
    clearInterval(sample);
    if (code !== 0) throw new Error(`the batch exited with code ${code}`);
    const seconds = (performance.now() - begin) / 1000;
    const worked = workers.reduce((sum, { pid }, i) => sum + cpuOf(pid!) - before[i], 0);
    return {
      perSecond: records / seconds,
      cpu: {
        batch: cpu / records,
        worker: worked / records,
        redis: count > 0 ? cpuOf(redis.pid) / records : 0,
      },
      memory: count > 0 ? [early, memoryOf(workers[0].pid!)] : [NaN, NaN],
    };
  } finally {
    for (const worker of workers) {
      worker.kill("SIGKILL");
      if (worker.exitCode === null && worker.signalCode === null) await once(worker, "exit");
    }
  }
}
