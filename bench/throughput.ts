/**
 * Measures requests per second of a bare loop, the library, the command line, and other packages.
 */
import { rmSync, writeFileSync } from "node:fs";
import type { Measurement } from "./measurement.ts";
import { run, type Runtime, RUNTIMES, scratch, startBenchServer } from "./runtimes.ts";

/** The conditions of a measurement, and the number of requests that take a few seconds. */
export interface Setting {
  concurrency: number;
  /** Characters per answer. */
  characters: number;
  /** Latency of the server, in milliseconds. */
  latency: number;
  requests: number;
  /** Whether answers have chunked encoding, as most services send them. Default: false. */
  isChunked?: boolean;
  /**
   * The target of the command line: the minimum ratio to the bare loop, or to what the latency allows.
   */
  target?: number;
}

/** All settings. */
export const SETTINGS: readonly Setting[] = [
  { concurrency: 1, characters: 400, latency: 0, requests: 20_000 },
  { concurrency: 64, characters: 400, latency: 0, requests: 100_000, target: 0.85 },
  { concurrency: 256, characters: 400, latency: 0, requests: 100_000, target: 0.85 },
  { concurrency: 1000, characters: 400, latency: 0, requests: 100_000 },
  { concurrency: 64, characters: 400, latency: 0, requests: 60_000, isChunked: true },
  { concurrency: 64, characters: 4000, latency: 0, requests: 60_000 },
  { concurrency: 64, characters: 40_000, latency: 0, requests: 20_000 },
  { concurrency: 64, characters: 400, latency: 100, requests: 3000 },
  { concurrency: 1000, characters: 400, latency: 100, requests: 100_000, target: 0.95 },
];

/** The setting for CI, which takes a minute. */
export const SHORT: readonly Setting[] = [
  { concurrency: 64, characters: 400, latency: 0, requests: 40_000, target: 0.85 },
];

/** The target for the ratio to the openai package. */
const OPENAI_TARGET = 2;
/** Other packages are slower, so they send fewer requests: 1 in 4. */
const REQUEST_DIVISOR = 4;

function commandLine(runtime: Runtime, baseUrl: string, setting: Setting): number {
  const [input, output] = [scratch("questions.jsonl"), scratch("answers.jsonl")];
  const line = (_: unknown, i: number) => `{"q":"Question ${i}: what is the answer?"}\n`;
  writeFileSync(input, Array.from({ length: setting.requests }, line).join(""));
  rmSync(output, { force: true });
  const flags = ["-c", String(setting.concurrency), "-m", "bench", "--base-url", baseUrl];
  const files = ["batch", input, "-o", output, "--api-key", "bench-key"];
  const { seconds } = run([...runtime.launch("main.ts"), ...files, ...flags]);
  // The startup of the runtime is subtracted; flexllm's own startup counts.
  return seconds - run(runtime.launch("bench/workers/empty.ts")).seconds;
}

/** Returns functions that measure the seconds per request of each contender. */
function contenders(runtime: Runtime, baseUrl: string, setting: Setting) {
  const script = (name: string, requests = setting.requests) => () => {
    const source = runtime.launch(`bench/workers/${name}.ts`);
    const numbers = [String(requests), String(setting.concurrency)];
    return Number(run([...source, baseUrl, ...numbers]).output) / requests;
  };
  const fewer = setting.requests / REQUEST_DIVISOR;
  return {
    "bare fetch loop": script("bare_loop"),
    "library batch": script("library_batch"),
    "flexllm batch": () => commandLine(runtime, baseUrl, setting) / setting.requests,
    "openai + p-limit": script("openai_sdk", fewer),
    "ai + p-limit": script("ai_sdk", fewer),
  };
}

function describe({ concurrency, characters, latency, isChunked }: Setting): string {
  const size = `${characters / 1000} kB${isChunked ? " chunked" : ""}`;
  return `concurrency ${concurrency}, ${size}, ${latency} ms`;
}

/** How to measure. */
export interface MeasureOptions {
  rounds: number;
  /** Picks the result from the seconds of all rounds. */
  pick: (seconds: readonly number[]) => number;
  note: (line: string) => void;
}

/** Measures all contenders in turn, in several rounds. */
export async function measureThroughput(
  settings: readonly Setting[],
  { rounds, pick, note }: MeasureOptions,
): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const setting of settings) {
    const framing = setting.isChunked ? "chunked" : "length";
    const server = await startBenchServer(setting.characters, setting.latency, framing);
    for (const runtime of RUNTIMES) {
      note(`${describe(setting)}, ${runtime.name}`);
      const times = new Map<string, number[]>();
      for (let round = 0; round < rounds; round++) {
        for (
          const [what, measure] of Object.entries(contenders(runtime, server.baseUrl, setting))
        ) {
          times.set(what, [...times.get(what) ?? [], measure()]);
        }
      }
      rows.push(...rowsOf(setting, runtime.name, (what) => pick(times.get(what)!)));
    }
    await server.stop();
  }
  return rows;
}

const CONTENDERS = [
  "bare fetch loop",
  "library batch",
  "flexllm batch",
  "openai + p-limit",
  "ai + p-limit",
];

function rowsOf(
  setting: Setting,
  runtime: string,
  secondsOf: (what: string) => number,
): Measurement[] {
  const { latency, concurrency, target } = setting;
  // The latency sets a lower bound for every contender.
  const best = Math.max(secondsOf("bare fetch loop"), latency / 1000 / concurrency);
  const of = { section: "Requests per second", setting: describe(setting), runtime };
  const rows: Measurement[] = CONTENDERS.map((what) => ({
    ...of,
    what,
    value: 1 / secondsOf(what),
    unit: "/s",
    ratio: best / secondsOf(what),
    target: what === "flexllm batch" && target !== undefined
      ? { kind: "at least", limit: target }
      : undefined,
  }));
  const ratio = secondsOf("openai + p-limit") / secondsOf("flexllm batch");
  if (target !== undefined && latency === 0) {
    const openaiTarget = { kind: "at least", limit: OPENAI_TARGET } as const;
    const what = "flexllm batch vs. openai + p-limit";
    rows.push({ ...of, what, value: ratio, unit: "×", target: openaiTarget });
  }
  return rows;
}
