/**
 * Limits the time that a client waits for its cache store.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import { CacheError } from "../errors.ts";

/** Maximum wait for one operation of a store, in milliseconds. */
export const STORE_TIMEOUT = 1000;

/** The polling interval, in milliseconds. */
const TICK = 20;

/** Whether an error says that another process has locked the database. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && /\b(locked|busy)\b/i.test(error.message);
}

/**
 * Runs `operation`. While another process has locked the database, retries for up to `timeout` milliseconds,
 * without blocking other work.
 */
export async function whileBusy<T>(operation: () => T, timeout: number): Promise<T> {
  const deadline = performance.now() + timeout;
  while (true) {
    try {
      return operation();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, TICK * (0.5 + Math.random())));
  }
}

/**
 * Waits for `work` for up to `timeout` milliseconds. Counts only time in which this process ran, since the
 * store is not to blame if the machine was asleep or overloaded.
 *
 * @throws {CacheError} if it takes longer; `work` continues in the background
 */
export function withStoreTimeout<T>(work: Promise<T>, timeout: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let left = timeout;
    const tick = () => {
      left -= TICK;
      if (left > 0) timer = setTimeout(tick, TICK);
      else reject(new CacheError(`it did not respond within ${timeout / 1000} s`));
    };
    let timer = setTimeout(tick, TICK);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
