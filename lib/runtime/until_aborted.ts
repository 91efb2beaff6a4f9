/**
 * Stops waiting for work that cannot itself be cancelled: reading a file, resolving a name.
 *
 * @module
 */
import { AbortedError } from "../errors.ts";

/** Settles as `promise` does, or rejects when `signal` fires before. */
export async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(new AbortedError());
  signal.addEventListener("abort", onAbort);
  try {
    if (signal.aborted) onAbort();
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
