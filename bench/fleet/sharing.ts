/**
 * Measures what limits and a cache in Redis cost a client, in comparison with those of its own process.
 */
import { rmSync } from "node:fs";
import type { ClientOptions } from "../../mod.ts";
import { RedisServer } from "../../tests/support/redis_server.ts";
import type { Measurement } from "../measurement.ts";
import { median, run, type Runtime, scratch, startBenchServer } from "../runtimes.ts";
import type { FleetBenchOptions } from "./throughput.ts";
import type { Pass } from "./workers/library_client.ts";

const CONCURRENCY = 64;
/** Limits that are checked for each request, and never reached. */
const LIMITS: Partial<ClientOptions> = { maxQps: 50_000, maxTpm: 1_000_000_000 };

/** Runs a client of its own process. Returns the figures of its passes. */
function send(
  runtime: Runtime,
  baseUrl: string,
  questions: number,
  passes: number,
  options: Partial<ClientOptions>,
): Pass[] {
  const worker = runtime.launch("bench/fleet/workers/library_client.ts");
  const args = [questions, CONCURRENCY, passes, JSON.stringify(options)].map(String);
  return JSON.parse(run([...worker, baseUrl, ...args]).output);
}

/** The figures of one pass in all rounds. */
interface Figures {
  perSecond: number[];
  /** Microseconds of CPU time per request. */
  cpu: number[];
}

function add(figures: Figures, { seconds, cpu }: Pass, questions: number): void {
  figures.perSecond.push(questions / seconds);
  figures.cpu.push(cpu * 1000 / questions);
}

/** Two rows: requests per second and CPU time, with the ratio to `base`. */
function rowsOf(
  of: Pick<Measurement, "section" | "setting" | "runtime">,
  what: string,
  figures: Figures,
  base?: Figures,
): Measurement[] {
  const ratio = (key: keyof Figures) =>
    base && median(figures[key].map((value, round) => value / base[key][round]));
  return [
    { ...of, what, value: median(figures.perSecond), unit: "/s", ratio: ratio("perSecond") },
    { ...of, what: `${what}: CPU`, value: median(figures.cpu), unit: "µs", ratio: ratio("cpu") },
  ];
}

/** Limits of the process in comparison with limits that it shares. */
export async function measureLimits(
  { rounds, divisor, runtimes, note }: FleetBenchOptions,
): Promise<Measurement[]> {
  const upstream = await startBenchServer(200, 0);
  const rows: Measurement[] = [];
  const questions = 30_000 / divisor;
  try {
    for (const runtime of runtimes) {
      const own: Figures = { perSecond: [], cpu: [] };
      const shared: Figures = { perSecond: [], cpu: [] };
      for (let round = 0; round < rounds; round++) {
        await using redis = await RedisServer.start();
        const together = { ...LIMITS, redis: redis.url };
        add(own, send(runtime, upstream.baseUrl, questions, 1, LIMITS)[0], questions);
        add(shared, send(runtime, upstream.baseUrl, questions, 1, together)[0], questions);
        note(`${runtime.name}, limits: round ${round + 1}`);
      }
      const of = {
        section: "Fleet: limits in Redis",
        setting: `${CONCURRENCY} at once, 0 ms`,
        runtime: runtime.name,
      };
      rows.push(...rowsOf(of, "library, its own limits", own));
      rows.push(...rowsOf(of, "library, shared limits", shared, own));
    }
  } finally {
    await upstream.stop();
  }
  return rows;
}

/** A cache in a file in comparison with one in Redis. */
export async function measureCache(
  { rounds, divisor, runtimes, note }: FleetBenchOptions,
): Promise<Measurement[]> {
  const upstream = await startBenchServer(1000, 0);
  const rows: Measurement[] = [];
  const questions = 20_000 / divisor;
  const empty = (): Figures => ({ perSecond: [], cpu: [] });
  try {
    for (const runtime of runtimes) {
      const [sqlite, redis] = [[empty(), empty()], [empty(), empty()]];
      for (let round = 0; round < rounds; round++) {
        await using server = await RedisServer.start();
        const folder = scratch(`cache-${runtime.name}-${round}`);
        const contenders = [
          [sqlite, { store: "sqlite", path: `${folder}/responses.sqlite` }],
          [redis, { path: server.url }],
        ] as const;
        for (const [figures, cache] of contenders) {
          const passes = send(runtime, upstream.baseUrl, questions, 2, { cache });
          passes.forEach((pass, i) => add(figures[i], pass, questions));
        }
        rmSync(folder, { recursive: true, force: true });
        note(`${runtime.name}, cache: round ${round + 1}`);
      }
      ["all new", "all cached"].forEach((setting, i) => {
        const of = { section: "Fleet: cache in Redis", setting, runtime: runtime.name };
        rows.push(...rowsOf(of, "library, cache in SQLite", sqlite[i]));
        rows.push(...rowsOf(of, "library, cache in Redis", redis[i], sqlite[i]));
      });
    }
  } finally {
    await upstream.stop();
  }
  return rows;
}
