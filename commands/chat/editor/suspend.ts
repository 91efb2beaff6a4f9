/**
 * Suspends the process as Ctrl-Z does outside raw mode.
 *
 * @module
 */
import process from "node:process";

/** Stops the process and those it runs under, such as `npx`, until the shell continues them. */
export function suspendProcess(): void {
  try {
    // The process group: the shell notices only if all of its processes stop.
    process.kill(0, "SIGTSTP");
  } catch {
    process.kill(process.pid, "SIGTSTP");
  }
}
