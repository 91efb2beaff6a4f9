/**
 * Measures a gateway that shares keys, spend, rates and cache through Redis, in comparison with one that has them in
 * SQLite.
 */
import { RedisServer } from "../../tests/support/redis_server.ts";
import { type Contender, direct, startGateway } from "../gateway/contenders.ts";
import { sendLoad } from "../gateway/load.ts";
import type { Measurement } from "../measurement.ts";
import { median, startBenchServer } from "../runtimes.ts";
import { cpuOf } from "./process_figures.ts";
import type { FleetBenchOptions } from "./throughput.ts";

/** Requests of a measurement of times, and of one of CPU time. */
const TIMED = 1000;
const COUNTED = 5000;
/** Seconds of load on each gateway at the start, and of each round under load. */
const WARMUP = 10;
const SECONDS = 3;
/** Requests at once under load, as in the load generator. */
const CONCURRENCY = 64;

/** Microseconds of CPU time of a gateway per request under load. */
function cpuPerRequest({ pid, target }: Contender, requests: number): number {
  const before = cpuOf(pid);
  sendLoad({ measure: "requests", targets: [target], rounds: 1, amount: requests, warmup: 0 });
  return (cpuOf(pid) - before) * 1000 / requests;
}

/** Compares the two on each runtime. */
export async function measureGateways(
  { rounds, divisor, runtimes, note }: FleetBenchOptions,
): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const runtime of runtimes) {
    const upstream = await startBenchServer(400, 0);
    await using redis = await RedisServer.start();
    const alone = await startGateway(runtime, upstream.baseUrl);
    const shared = await startGateway(runtime, upstream.baseUrl, redis.url);
    const targets = [direct(upstream), alone.target, shared.target];
    const plan = { targets, rounds, warmup: 0 };
    try {
      note(`${runtime.name}, gateways: warm-up`);
      sendLoad({ ...plan, rounds: 1, measure: "throughput", amount: WARMUP / divisor });
      note(`${runtime.name}, gateways`);
      const times = sendLoad({ ...plan, measure: "answer", amount: TIMED / divisor });
      const rates = sendLoad({ ...plan, measure: "throughput", amount: SECONDS / divisor });
      const cpu = [alone, shared].map((each) => cpuPerRequest(each, COUNTED / divisor));
      const of = { section: "Fleet: gateway on Redis", runtime: runtime.name };
      [alone, shared].forEach(({ target: { name } }, i) => {
        const added = times[name].map((time, round) => time - times.direct[round]);
        const ratio = i === 0 ? undefined : median(
          rates[name].map((rate, round) => rate / rates[alone.target.name][round]),
        );
        const setting = `${CONCURRENCY} at once, 0 ms`;
        rows.push(
          {
            ...of,
            setting: "one at a time, 0 ms",
            what: `${name} adds`,
            value: median(added),
            unit: "ms",
          },
          { ...of, setting, what: name, value: median(rates[name]), unit: "/s", ratio },
          { ...of, setting, what: `${name}: CPU`, value: cpu[i], unit: "µs" },
        );
      });
    } finally {
      await Promise.all([alone, shared, upstream].map((server) => server.stop()));
    }
  }
  return rows;
}
