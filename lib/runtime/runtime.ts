/**
 * Contains the differences between Deno, Bun and Node. Outside this directory, all code uses web standards and
 * `node:` modules.
 *
 * @module
 */
import process from "node:process";
import { globals } from "./globals.ts";

/** The runtime's name and version, such as `deno 2.9.6`. */
export function runtimeName(): string {
  if (globals.Bun !== undefined) return `bun ${globals.Bun.version}`;
  if (globals.Deno !== undefined) return `deno ${globals.Deno.version.deno}`;
  return `node ${process.versions.node}`;
}

/** Whether the runtime's byte streams support BYOB readers, which fill the reader's own buffer. */
export const streamsFillMemory = globals.Bun === undefined;

/** Whether child processes ignore the signals that this process ignores. Bun resets them. */
export const childrenInheritIgnoredSignals = globals.Bun === undefined;

/** The environment variable that limits Bun's concurrent requests. Bun reads it once, when it starts. */
export const REQUESTS_VARIABLE = "BUN_CONFIG_MAX_HTTP_REQUESTS";

/** The largest value that Bun accepts for it. */
export const MAX_REQUESTS = 65_535;

/** The maximum number of requests that the runtime sends at a time. Further ones wait inside the runtime. */
export function maxRequests(): number {
  if (globals.Bun === undefined) return Infinity;
  const value = Number(process.env[REQUESTS_VARIABLE]);
  return Number.isInteger(value) && value > 0 && value <= MAX_REQUESTS ? value : 256;
}

/**
 * Raises the runtime's limit to `count` concurrent requests.
 *
 * On Bun this may replace the process in place, with the same process id, terminal and standard
 * streams, so call it before anything is read or written. Bun on Windows cannot do that: there it has
 * no effect, and {@link maxRequests} remains the limit.
 */
export function allowRequests(count: number): void {
  const wanted = Math.min(count, MAX_REQUESTS);
  // After the restart this is false, so there is no second one.
  if (wanted <= maxRequests()) return;
  const { execve, execPath, argv0, argv, execArgv, env } = process as typeof process & {
    execve?: (file: string, args: string[], env: Record<string, string | undefined>) => void;
  };
  const args = globals.Bun?.isStandaloneExecutable
    ? argv.slice(2)
    : [...execArgv, ...argv.slice(1)];
  try {
    execve?.call(process, execPath, [argv0, ...args], {
      ...env,
      [REQUESTS_VARIABLE]: String(wanted),
    });
  } catch {
    // The run continues with the lower limit and prints a warning.
  }
}

/** Milliseconds after which a command is not a short one. */
const SHORT_COMMAND = 200;

/**
 * Lets the binary optimize its code as usual if the command takes longer than a short one. Bun's binary starts
 * with high thresholds (`--compile-jit-policy`), since what it optimizes is lost when a command ends at once.
 */
export function optimizeLongCommand(): void {
  const { Bun } = globals;
  if (Bun?.isStandaloneExecutable) setTimeout(() => Bun.unsafe.setJITPolicy(1), SHORT_COMMAND);
}

/**
 * Lets Bun collect garbage soon, in code that produces much of it: on its own it waits until there is as much
 * garbage as other memory. Takes a few milliseconds. The other runtimes collect short-lived garbage all the time.
 */
export function collectGarbage(): void {
  globals.Bun?.gc(false);
}

let survivesFileSizeLimit = globals.Deno === undefined;

/**
 * Makes a write beyond the file size limit (`ulimit -f`) fail instead of killing the process. Only Deno
 * needs this: Bun and Node ignore the signal.
 */
export function surviveFileSizeLimit(): void {
  if (survivesFileSizeLimit || process.platform === "win32") return;
  survivesFileSizeLimit = true;
  process.on("SIGXFSZ", () => {});
}
