/**
 * Shares one listener per abort signal: adding and removing one for each request costs more than the
 * request itself.
 *
 * @module
 */

/** Something that can be cancelled. */
export interface Cancellable {
  /** Called when the signal fires. */
  cancel(): void;
}

const setOfSignal = new WeakMap<AbortSignal, Set<Cancellable>>();

/** The set of everything that `signal` cancels, to add to and delete from. */
export function cancellablesOf(signal: AbortSignal): Set<Cancellable> {
  const known = setOfSignal.get(signal);
  if (known !== undefined) return known;
  const members = new Set<Cancellable>();
  setOfSignal.set(signal, members);
  signal.addEventListener("abort", () => {
    for (const member of members) member.cancel();
  }, { once: true });
  return members;
}
