/**
 * Runs many deadlines on few timers. A timer per request would cost more than the rest of our work for it.
 * Requests with the same timeout expire in the order they started, so one timer per timeout, set for the
 * oldest request, is enough.
 *
 * @module
 */
import { setTimeout } from "node:timers";

/** Something that expires; it has one deadline at a time. */
export interface Expiring {
  /** The time at which it expires, in milliseconds of `performance.now()`; set by its queue. */
  expiresAt: number;
  /** Called when the deadline has passed. */
  expire(): void;
}

/** The clock and timers of the runtime, in milliseconds. */
export interface Timing {
  now(): number;
  setTimer(callback: () => void, ms: number): void;
}

/** The time of this machine. */
const SYSTEM: Timing = {
  now: () => performance.now(),
  // Unreferenced: the pending request keeps the process alive; its deadline need not.
  setTimer: (callback, ms) => setTimeout(callback, ms).unref(),
};

/** A timer this many milliseconds late means that the process was suspended, not just busy. */
const SUSPENDED = 500;
/** Milliseconds for reading what arrived while the process was suspended. */
const GRACE = 1000;

/** All deadlines with the same timeout. */
export class DeadlineQueue {
  #entries = new Set<Expiring>();
  /** When the timer fires; `undefined` when none is set. */
  #firesAt: number | undefined;
  readonly #timing: Timing;

  /** Creates a queue for a timeout of `ms` milliseconds. */
  constructor(readonly ms: number, timing: Timing = SYSTEM) {
    this.#timing = timing;
  }

  /** How many deadlines are pending. */
  get size(): number {
    return this.#entries.size;
  }

  /** Starts the deadline of `entry`, or restarts it. */
  add(entry: Expiring): void {
    // Re-adding moves it to the end: the set stays in order of expiry.
    this.#entries.delete(entry);
    entry.expiresAt = this.#timing.now() + this.ms;
    this.#entries.add(entry);
    if (this.#firesAt === undefined) this.#arm(this.ms);
  }

  /** Removes the deadline of `entry`. */
  delete(entry: Expiring): void {
    this.#entries.delete(entry);
  }

  #arm(ms: number): void {
    this.#firesAt = this.#timing.now() + ms;
    this.#timing.setTimer(() => this.#expire(), ms);
  }

  #expire(): void {
    const now = this.#timing.now();
    const late = now - this.#firesAt!;
    this.#firesAt = undefined;
    if (late > SUSPENDED) this.#extend(late);
    for (const entry of this.#entries) {
      if (entry.expiresAt > now) return this.#arm(entry.expiresAt - now);
      this.#entries.delete(entry);
      entry.expire();
    }
  }

  /**
   * Extends all deadlines after the process was suspended: the suspended time does not count, and
   * responses that arrived meanwhile still have to be read.
   */
  #extend(late: number): void {
    for (const entry of this.#entries) entry.expiresAt += late + GRACE;
  }
}

const queues = new Map<number, DeadlineQueue>();

/** The queue for a timeout of `seconds`. */
export function deadlinesOf(seconds: number): DeadlineQueue {
  const ms = seconds * 1000;
  let queue = queues.get(ms);
  if (queue === undefined) queues.set(ms, queue = new DeadlineQueue(ms));
  return queue;
}
