/**
 * Detects whether the process should ignore SIGHUP, as under `nohup`.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { childrenInheritIgnoredSignals } from "../lib/runtime/runtime.ts";

let ignored: boolean | undefined;

/**
 * Whether SIGHUP was ignored when the process started, as under `nohup`.
 *
 * The first call must come before any listener for a signal and within half a second of the start: Deno
 * changes the disposition of SIGHUP with its first signal handler, and since 2.9.2 it adds one for SIGUSR1
 * after that time (denoland/deno#35738).
 */
export function ignoresHangup(): boolean {
  return ignored ??= wasIgnored();
}

function wasIgnored(): boolean {
  if (process.platform === "win32") return false;
  // `nohup` redirects all output away from the terminal.
  if (process.stdout.isTTY || process.stderr.isTTY) return false;
  try {
    const [, mask] = /^SigIgn:\s*(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8"))!;
    return (parseInt(mask.at(-1)!, 16) & 1) === 1;
  } catch {
    // macOS has no /proc, and Deno reads it only with all permissions.
  }
  if (!childrenInheritIgnoredSignals) return true;
  // Not imported, since every command loads this module.
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const { error, signal } = spawnSync("/bin/sh", ["-c", "kill -HUP $$"], { stdio: "ignore" });
  return error === undefined && signal === null;
}
