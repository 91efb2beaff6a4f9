/**
 * Time, as the scheduler sees it. Injected, so that tests use a virtual clock.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import { abortedBy } from "../errors.ts";

/** What a timer can hold, in milliseconds: almost 25 days. Longer ones would fire at once. */
const MAX_TIMER = 2 ** 31 - 1;

/** A source of time that never goes back. */
export interface Clock {
  /** Milliseconds since some fixed moment. */
  now(): number;
  /** Waits `ms` milliseconds. Rejects with {@link AbortedError} as soon as `signal` fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's monotonic clock: a change of the time of day does not touch it. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortedBy(signal));
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, Math.min(Math.max(ms, 0), MAX_TIMER));
      const onAbort = () => {
        clearTimeout(timer);
        reject(abortedBy(signal));
      };
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  },
};
