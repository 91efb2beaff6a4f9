/**
 * Waiting for a store, but not for long: a run must not stand still for its cache.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import { CacheError } from "../errors.ts";

/** How long a store is waited for in one go, in milliseconds. */
export const PATIENCE = 1000;

/** Milliseconds between two looks. */
const TICK = 20;

/** Whether another process has the database. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && /\b(locked|busy)\b/i.test(error.message);
}

/**
 * Does `operation`, again and again while another process has the database, for at most `patience`
 * milliseconds. Other work goes on in between.
 */
export async function whileBusy<T>(operation: () => T, patience: number): Promise<T> {
  const deadline = performance.now() + patience;
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
 * Waits for `work` for at most `patience` milliseconds in which this process ran: a machine that was
 * asleep or overloaded is not the store's fault.
 *
 * @throws {CacheError} when it takes longer; `work` goes on
 */
export function withPatience<T>(work: Promise<T>, patience: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let left = patience;
    const look = () => {
      left -= TICK;
      if (left > 0) timer = setTimeout(look, TICK);
      else reject(new CacheError(`it does not answer within ${patience / 1000} s`));
    };
    let timer = setTimeout(look, TICK);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
