/**
 * The runtimes that are measured, and running things on them.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { REQUESTS_VARIABLE } from "../lib/runtime/runtime.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const FOLDER = mkdtempSync(join(tmpdir(), "flexllm-bench-"));
const ENV = {
  ...process.env,
  FLEXLLM_HOME: FOLDER,
  DENO_NO_UPDATE_CHECK: "1",
  // Bun has 256 requests in flight otherwise, whoever asks.
  [REQUESTS_VARIABLE]: "1000",
};

/** A runtime: how it starts one of our sources. */
export interface Runtime {
  name: string;
  launch(source: string): string[];
}

const bundles = new Map<string, string>();

function bundled(source: string): string {
  let target = bundles.get(source);
  if (target === undefined) {
    const folder = join(FOLDER, basename(source, ".ts"));
    const flags = ["bundle", "-q", "--platform", "deno", "--code-splitting", "--outdir", folder];
    execFileSync(process.execPath, [...flags, join(ROOT, source)]);
    target = join(folder, `${basename(source, ".ts")}.js`);
    bundles.set(source, target);
  }
  return target;
}

/** Both runtimes. Bun runs bundles, as the binary does. */
export const RUNTIMES: readonly Runtime[] = [
  { name: "deno", launch: (source) => [process.execPath, "run", "-A", join(ROOT, source)] },
  { name: "bun", launch: (source) => ["bun", bundled(source)] },
];

/** A path in the folder of this run. */
export function scratch(name: string): string {
  return join(FOLDER, name);
}

/** Removes the folder of this run. */
export function cleanUp(): void {
  rmSync(FOLDER, { recursive: true, force: true });
}

/** What a command did. */
export interface Ran {
  output: string;
  seconds: number;
}

/** Runs a command to its end. */
export function run(command: string[]): Ran {
  const begun = performance.now();
  const output = execFileSync(command[0], command.slice(1), {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    env: ENV,
  });
  return { output, seconds: (performance.now() - begun) / 1000 };
}

/** Runs a command and gives the most memory that it had, in MB; `undefined` where nothing tells. */
export async function peakMemory(command: string[]): Promise<number | undefined> {
  const child = spawn(command[0], command.slice(1), { stdio: "ignore", env: ENV });
  let peak: number | undefined;
  const look = () => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1000 || peak;
    } catch {
      // No such file: another system, or the process has just ended.
    }
  };
  const timer = setInterval(look, 50);
  const code = await new Promise((resolve) => child.on("exit", resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}`);
  return peak;
}

/** A server in its own process. */
export interface Server {
  baseUrl: string;
  stop(): Promise<void>;
}

/** Starts a server that prints its base URL and ends with its standard input. */
export async function startServer(command: string[]): Promise<Server> {
  const child = spawn(command[0], command.slice(1), {
    stdio: ["pipe", "pipe", "ignore"],
    env: ENV,
  });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  for await (const chunk of child.stdout) {
    const baseUrl = /http:\S+/.exec(String(chunk))?.[0];
    if (baseUrl === undefined) continue;
    const stop = () => {
      child.stdin.end();
      child.kill();
      return ended;
    };
    return { baseUrl: baseUrl.replace(/\/v1$|$/, "/v1").replace("/v1/v1", "/v1"), stop };
  }
  throw new Error(`${command.join(" ")} did not start`);
}

/** Starts the server that everything is measured against. */
export function startBenchServer(
  characters = 200,
  latency = 0,
  framing = "length",
): Promise<Server> {
  const args = [String(characters), String(latency), framing];
  return startServer(["bun", join(ROOT, "bench/server.ts"), ...args]);
}

/** The middle one. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
