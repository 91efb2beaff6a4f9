/**
 * Runs programs and servers on the runtimes that are measured.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
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
  // Without it, Bun allows 256 requests in flight per process.
  [REQUESTS_VARIABLE]: "6000",
};

/** A runtime, and the command that runs a source file on it. */
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

/** Both runtimes. They run bundles, as the binaries do. */
export const RUNTIMES: readonly Runtime[] = [
  { name: "deno", launch: (source) => [process.execPath, "run", "-A", bundled(source)] },
  { name: "bun", launch: (source) => ["bun", bundled(source)] },
];

/** Builds the binary with `deno task compile:bun`. Returns its path. */
export function compileBinary(): string {
  execFileSync(process.execPath, ["task", "compile:bun"], { cwd: ROOT, stdio: "ignore" });
  return join(ROOT, "dist", "flexllm");
}

/** A path in the temporary directory of this run. */
export function scratch(name: string): string {
  return join(FOLDER, name);
}

/** Removes the temporary directory of this run. */
export function cleanUp(): void {
  rmSync(FOLDER, { recursive: true, force: true });
}

/** The output of a command, its duration, and the CPU time of its process. */
export interface FinishedCommand {
  output: string;
  seconds: number;
  cpuSeconds: number;
}

/** Measures a command: bash's `time` writes its CPU time to the last line of stderr. */
const TIMED = ["-c", 'TIMEFORMAT="%U %S"; time "$@"', "bash"];

/**
 * Runs a command and waits until it exits.
 *
 * @throws {Error} if it fails
 */
export function run(command: string[]): FinishedCommand {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync("bash", [...TIMED, ...command], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: ENV,
    maxBuffer: 1 << 28,
  });
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`${command.join(" ")} exited with ${status}: ${stderr}`);
  const [user, system] = stderr.trimEnd().split("\n").at(-1)!.split(" ").map(Number);
  return { output: stdout, seconds, cpuSeconds: user + system };
}

/**
 * Runs a command without a shell, for the time that it needs to start. Returns milliseconds.
 *
 * @throws {Error} if it fails
 */
export function elapsed(command: string[]): number {
  const start = performance.now();
  const { status } = spawnSync(command[0], command.slice(1), { stdio: "ignore", env: ENV });
  const milliseconds = performance.now() - start;
  if (status !== 0) throw new Error(`${command.join(" ")} exited with ${status}`);
  return milliseconds;
}

/** Runs a command and returns its peak memory in MB; `undefined` on systems without /proc. */
export async function peakMemory(command: string[]): Promise<number | undefined> {
  const child = spawn(command[0], command.slice(1), { stdio: "ignore", env: ENV });
  let peak: number | undefined;
  const sample = () => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1000 || peak;
    } catch {
      // The file does not exist: no /proc, or the process has just exited.
    }
  };
  const timer = setInterval(sample, 50);
  const code = await new Promise((resolve) => child.on("exit", resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${command.join(" ")} exited with code ${code}`);
  return peak;
}

/** A server in its own process. */
export interface Server {
  baseUrl: string;
  pid: number;
  stop(): Promise<void>;
}

/** Starts a server that prints its base URL and exits when its stdin is closed. */
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
    return {
      baseUrl: baseUrl.replace(/\/v1$|$/, "/v1").replace("/v1/v1", "/v1"),
      pid: child.pid!,
      stop,
    };
  }
  throw new Error(`${command.join(" ")} did not start`);
}

/** Starts the server that the benchmarks send requests to. */
export function startBenchServer(
  characters = 200,
  latency = 0,
  framing = "length",
): Promise<Server> {
  const args = [String(characters), String(latency), framing];
  return startServer(["bun", join(ROOT, "bench/server.ts"), ...args]);
}

/** The median; the upper one of two middle values. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
