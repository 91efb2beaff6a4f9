/**
 * Runs a batch on workers in processes of their own, and measures its time, its CPU time and its memory.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { statSync, writeFileSync } from "node:fs";
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
  /** Records per second in the result file, from its first fifth to its last record: without the startup. */
  perSecond: number;
  /** Milliseconds of CPU time per record: batch, workers and Redis. */
  cpu: { batch: number; worker: number; redis: number };
  /** Resident memory in MB of the first worker, after ten seconds and at the end. */
  memory: [early: number, late: number];
}

/** Milliseconds for workers to start before the batch does. */
const WARMUP = 2500;
/** Milliseconds after which the memory of a worker is measured for the first time. */
const EARLY = 10_000;

function start(command: readonly string[]): ChildProcess {
  const env = { ...process.env, FLEXLLM_HOME: scratch("home"), [REQUESTS_VARIABLE]: "1000" };
  return spawn(command[0], command.slice(1), { stdio: ["ignore", "ignore", "inherit"], env });
}

/** The size of a file at some time. */
interface Sample {
  at: number;
  bytes: number;
}

/** Records per second from the first fifth of the results to the last one. */
function steadyRate(samples: readonly Sample[], records: number): number {
  // The file is written again at the end, in the order of the input.
  const all = Math.max(...samples.map(({ bytes }) => bytes));
  const first = samples.find(({ bytes }) => bytes >= all / 5)!;
  const last = samples.find(({ bytes }) => bytes === all)!;
  return records * (last.bytes - first.bytes) / all / (last.at - first.at) * 1000;
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
    const output = scratch(`fleet-${number}.out.jsonl`);
    const files = [input, "-o", output];
    const batch = start([...flexllm, "batch", ...files, ...sending, ...fleet]);
    let cpu = 0;
    let early = NaN;
    const samples: Sample[] = [];
    const sample = setInterval(() => {
      const at = performance.now();
      try {
        samples.push({ at, bytes: statSync(output).size });
        cpu = cpuOf(batch.pid!);
      } catch {
        // It does not exist yet, or the batch has just exited.
      }
      if (count > 0 && Number.isNaN(early) && at - begin > EARLY) {
        early = memoryOf(workers[0].pid!);
      }
    }, 20);
    const [code] = await once(batch, "exit");
    clearInterval(sample);
    if (code !== 0) throw new Error(`the batch exited with code ${code}`);
    const worked = workers.reduce((sum, { pid }, i) => sum + cpuOf(pid!) - before[i], 0);
    return {
      perSecond: steadyRate(samples, records),
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
