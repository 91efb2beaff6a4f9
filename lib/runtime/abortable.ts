/**
 * Makes waiting for a promise abortable, for work that cannot be cancelled itself.
 *
 * @module
 */
import { abortedBy } from "../errors.ts";

/**
 * Settles like `promise`, or rejects as soon as `signal` is aborted. In that case the work continues, and its
 * result is ignored.
 *
 * @throws {AbortedError} if `signal` is aborted first
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortedBy(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
    // Even if the signal is already aborted, so that a later rejection is not unhandled.
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
