/**
 * Measures how close a batch comes to the ideal rate of a server with a fixed latency, once its concurrency has
 * had a second to grow. Requests are counted where they arrive.
 */
import { rmSync, writeFileSync } from "node:fs";
import type { Measurement, Target } from "./measurement.ts";
import { compileBinary, median, run, RUNTIMES, scratch, startBenchServer } from "./runtimes.ts";

const CONCURRENCY = 1000;
/** Milliseconds. */
const LATENCY = 100;
/** Maximum requests per second at this concurrency. */
const IDEAL = CONCURRENCY * 1000 / LATENCY;
/** Requests of about six seconds. */
const REQUESTS = 6 * IDEAL;
/** The server counts the requests of each tenth of a second. */
const BINS_PER_SECOND = 10;

/** Requests per second in these bins. */
function rateOf(bins: readonly number[]): number {
  return bins.reduce((sum, count) => sum + count, 0) / bins.length * BINS_PER_SECOND;
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
    const [first, steady]: number[][] = [[], []];
    for (let round = 0; round < count; round++) {
      rmSync(output, { force: true });
      const arrivals = await measure(command);
      first.push(rateOf(arrivals.slice(0, BINS_PER_SECOND)));
      // No requests are left in the last one.
      steady.push(rateOf(arrivals.slice(BINS_PER_SECOND, -1)));
    }
    const target = what === "flexllm batch"
      ? { kind: "at least", limit: 0.97 } as const
      : undefined;
    const row = (when: string, rates: number[], target?: Target): Measurement => {
      const value = median(rates);
      return {
        ...of,
        runtime,
        what: `${what}, ${when}`,
        value,
        unit: "/s",
        ratio: value / IDEAL,
        target,
      };
    };
    rows.push(row("first second", first), row("after it", steady, target));
  }
  await server.stop();
  return rows;
}
