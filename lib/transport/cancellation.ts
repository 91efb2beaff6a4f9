/**
 * Shares one listener per abort signal: adding and removing one for each request costs more than the
 * request itself.
 *
 * @module
 */
import { LinkedList, ListNode } from "./linked_list.ts";

/** Something that can be cancelled. */
export interface Cancellable {
  /** Called when the signal fires. */
  cancel(): void;
}

/** What an abort signal cancels until it is removed. */
export class Cancellation extends ListNode {
  constructor(readonly target: Cancellable) {
    super();
  }
}

const listOfSignal = new WeakMap<AbortSignal, LinkedList<Cancellation>>();

function listOf(signal: AbortSignal): LinkedList<Cancellation> {
  const known = listOfSignal.get(signal);
  if (known !== undefined) return known;
  const list = new LinkedList<Cancellation>();
  listOfSignal.set(signal, list);
  signal.addEventListener("abort", () => {
    // Each may remove others, or add some.
    for (let next = list.first; next !== undefined; next = list.first) {
      next.remove();
      next.target.cancel();
    }
  }, { once: true });
  return list;
}

/** Cancels `target` when `signal` fires, unless it is removed before. A signal that has fired cancels nothing. */
export function cancelledBy(signal: AbortSignal, target: Cancellable): Cancellation {
  const cancellation = new Cancellation(target);
  listOf(signal).append(cancellation);
  return cancellation;
}
