/**
 * Defines the clock. Code that waits takes it as a parameter, so that tests can use a virtual one.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import { abortable } from "./abortable.ts";

/** The maximum delay of a timer in milliseconds, almost 25 days. Longer ones fire immediately. */
const MAX_TIMER = 2 ** 31 - 1;

/** A monotonic clock. */
export interface Clock {
  /** Milliseconds since a fixed moment. */
  now(): number;
  /**
   * Waits `ms` milliseconds.
   *
   * @throws {AbortedError} as soon as `signal` is aborted
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The system's monotonic clock. Changes of the time of day do not affect it. */
export const systemClock: Clock = {
  now: () => performance.now(),
  async sleep(ms, signal) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const elapsed = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(Math.max(ms, 0), MAX_TIMER));
    });
    try {
      await abortable(elapsed, signal);
    } finally {
      clearTimeout(timer);
    }
  },
};
