/**
 * A counting semaphore: the slots that requests in flight take.
 *
 * @module
 */
import { AbortedError } from "../errors.ts";

interface Waiter {
  grant: () => void;
}

/** A fixed number of slots, given in the order of asking. */
export class Slots {
  #free: number;
  #waiters = new Set<Waiter>();

  constructor(limit: number) {
    this.#free = limit;
  }

  /** Takes a slot if one is free and nobody waits for it. */
  tryAcquire(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Waits for a slot. Rejects with {@link AbortedError} when `signal` fires first. */
  acquire(signal?: AbortSignal): Promise<void> {
    if (this.tryAcquire()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new AbortedError());
      const onAbort = () => {
        this.#waiters.delete(waiter);
        reject(new AbortedError());
      };
      const waiter: Waiter = {
        grant: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#waiters.add(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Gives a slot back: to whoever waits longest, if anybody does. */
  release(): void {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.grant();
      return;
    }
    this.#free++;
  }
}
