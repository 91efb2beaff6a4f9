/**
 * Whether a hangup should stop this process.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { childrenInheritIgnoredSignals } from "../lib/runtime/runtime.ts";

let ignored: boolean | undefined;

/**
 * Whether SIGHUP was ignored when the process started, as under `nohup`. Call it before any signal has a
 * listener: in Deno, a listener changes what SIGHUP does.
 */
export function ignoresHangup(): boolean {
  return ignored ??= wasIgnored();
}

function wasIgnored(): boolean {
  if (process.platform === "win32") return false;
  // Under `nohup`, no output goes to a terminal.
  if (process.stdout.isTTY || process.stderr.isTTY) return false;
  try {
    const [, mask] = /^SigIgn:\s*(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8"))!;
    return (parseInt(mask.at(-1)!, 16) & 1) === 1;
  } catch {
    // macOS has no /proc, and Deno opens it only with all permissions.
  }
  if (!childrenInheritIgnoredSignals) return true;
  const { error, signal } = spawnSync("/bin/sh", ["-c", "kill -HUP $$"], { stdio: "ignore" });
  return error === undefined && signal === null;
}
