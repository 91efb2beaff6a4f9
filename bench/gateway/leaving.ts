/**
 * Measures how soon the request to the upstream server ends after a client has left.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Measurement } from "../measurement.ts";
import { median, RUNTIMES } from "../runtimes.ts";
import { type Contender, startBareProxy, startGateway } from "./contenders.ts";
import { sourceFile } from "./load.ts";
import type { LeavePlan, LeaveTime } from "./workers/leaver.ts";

const TIMES: readonly LeaveTime[] = ["before headers", "mid-stream", "not streamed"];
/** The longest time in ms that the request may go on. */
const LIMIT = 100;

/** The process that is both the client and the upstream server. */
class Leaver {
  readonly #child = spawn("bun", [sourceFile("bench/gateway/workers/leaver.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: process.env,
  });
  readonly #lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();

  /** The next line of its output. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the process that leaves has exited");
    return value;
  }

  /** Leaves as often as the plan says. Returns the times in ms until the upstream request ended. */
  async leave(plan: LeavePlan): Promise<number[]> {
    this.#child.stdin.write(`${JSON.stringify(plan)}\n`);
    // JSON has no Infinity.
    return (JSON.parse(await this.line()) as (number | null)[]).map((time) => time ?? Infinity);
  }

  stop(): void {
    this.#child.stdin.end();
  }
}

async function rowsOf(
  leaver: Leaver,
  { target, runtime }: Contender,
  times: number,
): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const when of TIMES) {
    const figures = await leaver.leave({ target, when, times });
    const of = {
      section: "Gateway: a client leaves, until the upstream request ends",
      setting: `${when}, ${times} times`,
      runtime,
    };
    const limit = target.name.startsWith("flexllm")
      ? { kind: "at most", limit: LIMIT } as const
      : undefined;
    rows.push({ ...of, what: `${target.name}, median`, value: median(figures), unit: "ms" });
    rows.push({
      ...of,
      what: `${target.name}, longest`,
      value: Math.max(...figures),
      unit: "ms",
      target: limit,
    });
  }
  return rows;
}

/** Measures it for bare proxies and gateways; each client leaves `times` times at each moment. */
export async function measureLeaving(times: number): Promise<Measurement[]> {
  const leaver = new Leaver();
  const upstream = await leaver.line();
  const rows: Measurement[] = [];
  try {
    for (const runtime of RUNTIMES) {
      for (const start of [startBareProxy, startGateway]) {
        const contender = await start(runtime, upstream);
        rows.push(...await rowsOf(leaver, contender, times));
        await contender.stop();
      }
    }
  } finally {
    leaver.stop();
  }
  return rows;
}
