/**
 * Measures the memory of a gateway over many requests and abandoned streams.
 */
import { readFileSync } from "node:fs";
import type { Measurement } from "../measurement.ts";
import { type Runtime, startBenchServer } from "../runtimes.ts";
import { type Contender, startGateway } from "./contenders.ts";
import { sendLoad } from "./load.ts";

/** How much is sent. */
export interface SoakOptions {
  requests: number;
  /** Streams that the client leaves after the first token. */
  abandoned: number;
  /** The runtimes to measure. */
  runtimes: readonly Runtime[];
  note: (line: string) => void;
}

/** The largest resident memory in MB. */
const LIMIT = 200;
const PARTS = 10;
/** Tokens of an abandoned stream: more than any buffer on the way holds. */
const TOKENS = 100_000;

/** A value of /proc/PID/status in MB. */
function memoryOf({ pid }: Contender, name: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / 1000;
}

async function inFlight({ baseUrl }: Contender): Promise<number> {
  const response = await fetch(new URL("/status", baseUrl));
  const status = await response.json() as { inFlight?: number; in_flight?: number };
  return status.inFlight ?? status.in_flight ?? NaN;
}

/** Sends everything in parts, and returns the memory after each of them. */
function soak(contender: Contender, { requests, abandoned, note }: SoakOptions): number[] {
  const plan = { targets: [contender.target], rounds: 1, warmup: 0, tokens: TOKENS };
  const sent: number[] = [];
  for (let part = 1; part <= PARTS; part++) {
    sendLoad({ ...plan, measure: "requests", amount: requests / PARTS });
    sendLoad({ ...plan, measure: "abandon", amount: abandoned / PARTS });
    const memory = memoryOf(contender, "VmRSS");
    sent.push(memory);
    note(`${contender.target.name}: ${part} of ${PARTS}, ${memory.toFixed(0)} MB`);
  }
  return sent;
}

/** Measures the memory on each runtime. Needs /proc. */
export async function measureSoak(options: SoakOptions): Promise<Measurement[]> {
  const upstream = await startBenchServer();
  const rows: Measurement[] = [];
  const { requests, abandoned } = options;
  const count = (number: number) => number.toLocaleString("en-US");
  const of = {
    section: "Gateway: memory",
    setting: `${count(requests)} requests, ${count(abandoned)} abandoned streams`,
  };
  try {
    for (const runtime of options.runtimes) {
      const contender = await startGateway(runtime, upstream.baseUrl);
      const memory = soak(contender, options);
      const peak = memoryOf(contender, "VmHWM");
      const row = (what: string, value: number, unit: string): Measurement => ({
        ...of,
        runtime: runtime.name,
        what,
        value,
        unit,
      });
      rows.push(row("after a tenth", memory[0], "MB"));
      rows.push(row("after all", memory.at(-1)!, "MB"));
      rows.push({ ...row("peak", peak, "MB"), target: { kind: "at most", limit: LIMIT } });
      const open = await inFlight(contender);
      rows.push({ ...row("still in flight", open, ""), target: { kind: "at most", limit: 0 } });
      await contender.stop();
    }
  } finally {
    await upstream.stop();
  }
  return rows;
}
