/**
 * Repeats a task of a worker.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";

/** Runs a task about every `ms` milliseconds until `signal` is aborted. Its errors are ignored. */
export function repeat(ms: number, signal: AbortSignal, task: () => Promise<void>): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = async () => {
    try {
      await task();
    } catch {
      // The next time, then: an unreachable server is reported elsewhere.
    }
    schedule();
  };
  const schedule = () => {
    // Spread, so that many workers don't all come at once.
    if (!signal.aborted) timer = setTimeout(run, ms * (0.9 + 0.2 * Math.random()));
  };
  schedule();
  signal.addEventListener("abort", () => clearTimeout(timer));
}
