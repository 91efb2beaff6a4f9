/**
 * Requests a second of the bare loop, the library, the command line, and what people write by hand.
 */
import { rmSync, writeFileSync } from "node:fs";
import type { Measurement } from "./measurement.ts";
import { run, type Runtime, RUNTIMES, scratch, startBenchServer } from "./runtimes.ts";

/** Under which conditions, and how many requests make a measurement of a few seconds. */
export interface Setting {
  concurrency: number;
  /** Characters of an answer. */
  characters: number;
  /** Milliseconds that the server takes for one. */
  latency: number;
  requests: number;
  /** Whether answers come in chunks without their length, as most services send them; default no. */
  isChunked?: boolean;
  /** The least share of the bare loop, or of what the latency allows, that the command line reaches. */
  bar?: number;
}

/** All that is measured. */
export const SETTINGS: readonly Setting[] = [
  { concurrency: 1, characters: 400, latency: 0, requests: 20_000 },
  { concurrency: 64, characters: 400, latency: 0, requests: 100_000, bar: 0.85 },
  { concurrency: 256, characters: 400, latency: 0, requests: 100_000, bar: 0.85 },
  { concurrency: 1000, characters: 400, latency: 0, requests: 100_000 },
  { concurrency: 64, characters: 400, latency: 0, requests: 60_000, isChunked: true },
  { concurrency: 64, characters: 4000, latency: 0, requests: 60_000 },
  { concurrency: 64, characters: 40_000, latency: 0, requests: 20_000 },
  { concurrency: 64, characters: 400, latency: 100, requests: 3000 },
  { concurrency: 1000, characters: 400, latency: 100, requests: 100_000, bar: 0.95 },
];

/** One that takes a minute, for CI. */
export const SHORT: readonly Setting[] = [
  { concurrency: 64, characters: 400, latency: 0, requests: 40_000, bar: 0.85 },
];

/** The least that we are faster than the openai package. */
const AGAINST_OPENAI = 2;
/** The packages are slow, and do fewer requests. */
const FEWER = 4;

function commandLine(runtime: Runtime, baseUrl: string, setting: Setting): number {
  const [input, output] = [scratch("questions.jsonl"), scratch("answers.jsonl")];
  const line = (_: unknown, i: number) => `{"q":"Question ${i}: what is the answer?"}\n`;
  writeFileSync(input, Array.from({ length: setting.requests }, line).join(""));
  rmSync(output, { force: true });
  const flags = ["-c", String(setting.concurrency), "-m", "bench", "--base-url", baseUrl];
  const files = ["batch", input, "-o", output, "--api-key", "bench-key"];
  const { seconds } = run([...runtime.launch("main.ts"), ...files, ...flags]);
  // The runtime's own start is not ours to answer for; the rest of the start is.
  return seconds - run(runtime.launch("bench/workers/empty.ts")).seconds;
}

/** Gives the seconds that a request takes each contender, all the others that are in flight counted. */
function contenders(runtime: Runtime, baseUrl: string, setting: Setting) {
  const script = (name: string, requests = setting.requests) => () => {
    const source = runtime.launch(`bench/workers/${name}.ts`);
    const numbers = [String(requests), String(setting.concurrency)];
    return Number(run([...source, baseUrl, ...numbers]).output) / requests;
  };
  const fewer = setting.requests / FEWER;
  return {
    "bare fetch loop": script("bare_loop"),
    "library batch": script("library_batch"),
    "flexllm batch": () => commandLine(runtime, baseUrl, setting) / setting.requests,
    "openai + p-limit": script("openai_sdk", fewer),
    "ai + p-limit": script("ai_sdk", fewer),
  };
}

function describe({ concurrency, characters, latency, isChunked }: Setting): string {
  const size = `${characters / 1000} kB${isChunked ? " in chunks" : ""}`;
  return `${concurrency} at once, ${size}, ${latency} ms`;
}

/** How to measure. */
export interface MeasureOptions {
  rounds: number;
  /** What is taken of the seconds of all rounds. */
  pick: (seconds: readonly number[]) => number;
  note: (line: string) => void;
}

/** Measures all contenders in turn, several rounds. */
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
  const { latency, concurrency, bar } = setting;
  // With latency nobody can be faster than it allows.
  const best = Math.max(secondsOf("bare fetch loop"), latency / 1000 / concurrency);
  const of = { section: "Requests a second", setting: describe(setting), runtime };
  const rows: Measurement[] = CONTENDERS.map((what) => ({
    ...of,
    what,
    value: 1 / secondsOf(what),
    unit: "/s",
    ratio: best / secondsOf(what),
    bar: what === "flexllm batch" && bar !== undefined
      ? { kind: "at least", limit: bar }
      : undefined,
  }));
  const ratio = secondsOf("openai + p-limit") / secondsOf("flexllm batch");
  if (bar !== undefined && latency === 0) {
    const against = { kind: "at least", limit: AGAINST_OPENAI } as const;
    const what = "flexllm batch against openai + p-limit";
    rows.push({ ...of, what, value: ratio, unit: "times", bar: against });
  }
  return rows;
}
