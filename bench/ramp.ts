/**
 * Measures how close a batch comes to the ideal rate of a server with a fixed latency, once its concurrency has
 * had a second to grow. Requests are counted where they arrive.
 */
import { rmSync, writeFileSync } from "node:fs";
import type { Measurement } from "./measurement.ts";
import { compileBinary, median, run, RUNTIMES, scratch, startBenchServer } from "./runtimes.ts";

const CONCURRENCY = 1000;
/** Milliseconds. */
const LATENCY = 100;
/** The most requests per second that this concurrency allows. */
const IDEAL = CONCURRENCY * 1000 / LATENCY;
/** Requests of about six seconds. */
const REQUESTS = 6 * IDEAL;
/** The server counts the requests of each tenth of a second. */
const BINS_PER_SECOND = 10;

/** The rate between the first second and the last tenth, when no requests are left. */
function steadyRate(arrivals: readonly number[]): number {
  const steady = arrivals.slice(BINS_PER_SECOND, -1);
  return steady.reduce((sum, count) => sum + count, 0) / steady.length * BINS_PER_SECOND;
}

/** The seconds until 95 % of the ideal rate arrived for the first time. */
function timeToFull(arrivals: readonly number[]): number {
  const full = arrivals.findIndex((count) => count >= 0.95 * IDEAL / BINS_PER_SECOND);
  return full === -1 ? Infinity : full / BINS_PER_SECOND;
}

/** Measures a bare loop and `flexllm batch` on both runtimes, and the binary. */
export async function measureRamp(count: number): Promise<Measurement[]> {
  const input = scratch("ramp.jsonl");
  const line = (_: unknown, i: number) => `{"q":"Question ${i}: what is the answer?"}\n`;
  writeFileSync(input, Array.from({ length: REQUESTS }, line).join(""));
  const server = await startBenchServer(400, LATENCY);
  const measure = async (command: string[]): Promise<number[]> => {
    run(command);
    return await (await fetch(`${server.baseUrl}/arrivals`)).json();
  };
  const output = scratch("ramp_answers.jsonl");
  const flags = ["-c", String(CONCURRENCY), "-m", "bench", "--api-key", "bench-key"];
  const batch = ["batch", input, "-o", output, "--base-url", server.baseUrl, ...flags];
  const bare = [server.baseUrl, String(REQUESTS), String(CONCURRENCY)];
  const contenders = [
    ...RUNTIMES.flatMap(({ name: runtime, launch }) => [
      {
        runtime,
        what: "bare fetch loop",
        command: [...launch("bench/workers/bare_loop.ts"), ...bare],
      },
      { runtime, what: "flexllm batch", command: [...launch("main.ts"), ...batch] },
    ]),
    { runtime: "binary", what: "flexllm batch", command: [compileBinary(), ...batch] },
  ];
  const of = { section: "Ramp", setting: `concurrency ${CONCURRENCY}, ${LATENCY} ms` };
  const rows: Measurement[] = [];
  for (const { runtime, what, command } of contenders) {
    const rates: number[] = [];
    const starts: number[] = [];
    for (let round = 0; round < count; round++) {
      rmSync(output, { force: true });
      const arrivals = await measure(command);
      rates.push(steadyRate(arrivals));
      starts.push(timeToFull(arrivals));
    }
    const value = median(rates);
    const target = what === "flexllm batch"
      ? { kind: "at least", limit: 0.97 } as const
      : undefined;
    rows.push(
      {
        ...of,
        runtime,
        what: `${what}, after 1 s`,
        value,
        unit: "/s",
        ratio: value / IDEAL,
        target,
      },
      { ...of, runtime, what: `${what}, until 95 %`, value: median(starts), unit: "s" },
    );
  }
  await server.stop();
  return rows;
}
