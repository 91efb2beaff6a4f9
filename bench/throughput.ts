/**
 * Measures requests per second of a bare loop, the library, the command line, and other packages.
 */
import { rmSync, writeFileSync } from "node:fs";
import type { Measurement, Target } from "./measurement.ts";
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
  /** Whether the usual targets apply. */
  isGoal?: boolean;
  /** The target of the command line, if it has another. */
  target?: number;
}

/** All settings. */
export const SETTINGS: readonly Setting[] = [
  { concurrency: 1, characters: 400, latency: 0, requests: 20_000 },
  { concurrency: 64, characters: 400, latency: 0, requests: 60_000, isGoal: true },
  { concurrency: 256, characters: 400, latency: 0, requests: 60_000, isGoal: true },
  { concurrency: 1000, characters: 400, latency: 0, requests: 60_000 },
  { concurrency: 64, characters: 400, latency: 0, requests: 60_000, isChunked: true },
  { concurrency: 64, characters: 4000, latency: 0, requests: 60_000 },
  { concurrency: 64, characters: 40_000, latency: 0, requests: 20_000, target: 0.6 },
  { concurrency: 64, characters: 400, latency: 100, requests: 3000 },
];

/** The minimum ratios to the bare loop, in time and in CPU time, at the usual settings. */
const TARGETS: Record<string, Record<string, number>> = {
  deno: { "flexllm batch": 0.8, "library batch": 0.9 },
  bun: { "flexllm batch": 0.7, "library batch": 0.85 },
};

/** The setting for CI, which takes a minute. */
export const SHORT: readonly Setting[] = [
  { concurrency: 64, characters: 400, latency: 0, requests: 40_000, isGoal: true },
];

/** The target for the ratio to the openai package. */
const OPENAI_TARGET = 2;
/** Other packages are slower, so they send fewer requests: 1 in 4. */
const REQUEST_DIVISOR = 4;

/** What a contender needs per request. */
interface Cost {
  seconds: number;
  cpuSeconds: number;
}

function commandLine(runtime: Runtime, baseUrl: string, setting: Setting): Cost {
  const [input, output] = [scratch("questions.jsonl"), scratch("answers.jsonl")];
  const line = (_: unknown, i: number) => `{"q":"Question ${i}: what is the answer?"}\n`;
  writeFileSync(input, Array.from({ length: setting.requests }, line).join(""));
  rmSync(output, { force: true });
  const flags = ["-c", String(setting.concurrency), "-m", "bench", "--base-url", baseUrl];
  const files = ["batch", input, "-o", output, "--api-key", "bench-key"];
  const { seconds, cpuSeconds } = run([...runtime.launch("main.ts"), ...files, ...flags]);
  // The startup of the runtime is subtracted; flexllm's own startup counts.
  const start = run(runtime.launch("bench/workers/empty.ts"));
  return {
    seconds: (seconds - start.seconds) / setting.requests,
    cpuSeconds: (cpuSeconds - start.cpuSeconds) / setting.requests,
  };
}

/** Returns functions that measure the cost of a request for each contender. */
function contenders(runtime: Runtime, baseUrl: string, setting: Setting) {
  const script = (name: string, requests = setting.requests) => (): Cost => {
    const source = runtime.launch(`bench/workers/${name}.ts`);
    const { output, cpuSeconds } = run([
      ...source,
      baseUrl,
      String(requests),
      String(setting.concurrency),
    ]);
    const start = run(runtime.launch("bench/workers/empty.ts"));
    return {
      seconds: Number(output) / requests,
      cpuSeconds: (cpuSeconds - start.cpuSeconds) / requests,
    };
  };
  const fewer = setting.requests / REQUEST_DIVISOR;
  return {
    "bare fetch loop": script("bare_loop"),
    "library batch": script("library_batch"),
    "flexllm batch": () => commandLine(runtime, baseUrl, setting),
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
  /** Measures only settings whose description contains it. */
  setting?: string;
  /** Leaves out other packages. */
  isOwnOnly?: boolean;
  note: (line: string) => void;
}

/** Measures all contenders in turn, in several rounds. */
export async function measureThroughput(
  settings: readonly Setting[],
  { rounds, pick, note, setting: wanted = "", isOwnOnly = false }: MeasureOptions,
): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const setting of settings) {
    if (!describe(setting).includes(wanted)) continue;
    const framing = setting.isChunked ? "chunked" : "length";
    const server = await startBenchServer(setting.characters, setting.latency, framing);
    for (const runtime of RUNTIMES) {
      note(`${describe(setting)}, ${runtime.name}`);
      const costs = new Map<string, Cost[]>();
      for (let round = 0; round < rounds; round++) {
        const all = Object.entries(contenders(runtime, server.baseUrl, setting));
        for (const [what, measure] of all) {
          if (isOwnOnly && what.includes("p-limit")) continue;
          costs.set(what, [...costs.get(what) ?? [], measure()]);
        }
      }
      const picked = new Map<string, Cost>();
      for (const [what, rounds] of costs) {
        picked.set(what, {
          seconds: pick(rounds.map(({ seconds }) => seconds)),
          cpuSeconds: pick(rounds.map(({ cpuSeconds }) => cpuSeconds)),
        });
      }
      rows.push(...rowsOf(setting, runtime.name, picked));
    }
    await server.stop();
  }
  return rows;
}

function targetOf({ isGoal, target }: Setting, runtime: string, what: string): Target | undefined {
  const own = what === "flexllm batch" ? target : undefined;
  const limit = own ?? (isGoal ? TARGETS[runtime][what] : undefined);
  return limit === undefined ? undefined : { kind: "at least", limit };
}

function rowsOf(setting: Setting, runtime: string, costs: Map<string, Cost>): Measurement[] {
  const { latency, concurrency, isGoal } = setting;
  const bare = costs.get("bare fetch loop")!;
  // The latency sets a lower bound for every contender.
  const best = Math.max(bare.seconds, latency / 1000 / concurrency);
  const of = { section: "Requests per second", setting: describe(setting), runtime };
  const rows: Measurement[] = [...costs].map(([what, { seconds, cpuSeconds }]) => ({
    ...of,
    what,
    value: 1 / seconds,
    unit: "/s",
    ratio: best / seconds,
    cpu: cpuSeconds * 1e6,
    cpuRatio: bare.cpuSeconds / cpuSeconds,
    target: targetOf(setting, runtime, what),
  }));
  const openai = costs.get("openai + p-limit");
  if (isGoal && openai !== undefined) {
    const value = openai.seconds / costs.get("flexllm batch")!.seconds;
    const target = { kind: "at least", limit: OPENAI_TARGET } as const;
    rows.push({ ...of, what: "flexllm batch vs. openai + p-limit", value, unit: "×", target });
  }
  return rows;
}
