/**
 * One listener for each signal, however many wait for it: to add and remove one for each request costs
 * more than the request itself needs.
 *
 * @module
 */

/** What can be cancelled. */
export interface Cancellable {
  /** Called when the signal fires. */
  cancel(): void;
}

const waiting = new WeakMap<AbortSignal, Set<Cancellable>>();

/** All that are cancelled by `signal`, to add to and delete from. */
export function cancelledBy(signal: AbortSignal): Set<Cancellable> {
  const known = waiting.get(signal);
  if (known !== undefined) return known;
  const members = new Set<Cancellable>();
  waiting.set(signal, members);
  signal.addEventListener("abort", () => {
    for (const member of members) member.cancel();
  }, { once: true });
  return members;
}
