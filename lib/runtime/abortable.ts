/**
 * Makes waiting for a promise abortable, for work that cannot be cancelled itself.
 *
 * @module
 */
import { abortedBy } from "../errors.ts";

/**
 * Settles like `promise`, or rejects as soon as `signal` is aborted. The work continues in that case, and
 * its result is ignored.
 *
 * @throws {AbortedError} if `signal` is aborted first
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortedBy(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
    // Also if it is aborted already, so that a later rejection is not unhandled.
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
