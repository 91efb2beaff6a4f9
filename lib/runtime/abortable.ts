/**
 * Stops waiting for a promise when a signal fires, for work that cannot itself be cancelled.
 *
 * @module
 */
import { abortedBy } from "../errors.ts";

/** Settles like `promise`, or rejects with {@link AbortedError} when `signal` fires first. */
export async function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(abortedBy(signal));
  signal.addEventListener("abort", onAbort);
  try {
    if (signal.aborted) onAbort();
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
