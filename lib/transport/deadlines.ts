/**
 * Runs many deadlines on few timers. A timer per request would cost more than the rest of our work for it.
 * Requests with the same timeout expire in the order they started, so one timer per timeout, set for the
 * oldest request, is enough.
 *
 * @module
 */
import { setTimeout } from "node:timers";
import { LinkedList, ListNode } from "./linked_list.ts";

/** Something that expires. */
export interface Expiring {
  /** Called when the deadline has passed. */
  expire(): void;
}

/** One deadline. */
export class Deadline extends ListNode {
  /** The time at which it expires, in milliseconds of `performance.now()`; set by its queue. */
  expiresAt = 0;

  constructor(readonly queue: DeadlineQueue, readonly target: Expiring) {
    super();
  }

  /** Starts again, also if it was removed or has expired. */
  restart(): void {
    this.queue.start(this);
  }
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
  readonly #deadlines = new LinkedList<Deadline>();
  /** When the timer fires; `undefined` when none is set. */
  #firesAt: number | undefined;
  readonly #timing: Timing;

  /** Creates a queue for a timeout of `ms` milliseconds. */
  constructor(readonly ms: number, timing: Timing = SYSTEM) {
    this.#timing = timing;
  }

  /** How many deadlines are pending. */
  get size(): number {
    return this.#deadlines.size;
  }

  /** Starts a deadline of `target`. Remove it when it no longer applies. */
  add(target: Expiring): Deadline {
    const deadline = new Deadline(this, target);
    this.start(deadline);
    return deadline;
  }

  /** Starts a deadline of this queue, or starts it again. */
  start(deadline: Deadline): void {
    deadline.expiresAt = this.#timing.now() + this.ms;
    // At the end: the list stays in order of expiry.
    this.#deadlines.append(deadline);
    if (this.#firesAt === undefined) this.#arm(this.ms);
  }

  #arm(ms: number): void {
    this.#firesAt = this.#timing.now() + ms;
    this.#timing.setTimer(() => this.#expire(), ms);
  }

  #expire(): void {
    const now = this.#timing.now();
    const late = now - this.#firesAt!;
    if (late > SUSPENDED) this.#extend(late);
    try {
      for (let next = this.#deadlines.first; next !== undefined; next = this.#deadlines.first) {
        if (next.expiresAt > now) break;
        next.remove();
        next.target.expire();
      }
    } finally {
      // Not before: what starts again as it expires would set a second timer.
      this.#firesAt = undefined;
      const { first } = this.#deadlines;
      if (first !== undefined) this.#arm(Math.max(0, first.expiresAt - now));
    }
  }

  /**
   * Extends all deadlines after the process was suspended: the suspended time does not count, and
   * responses that arrived meanwhile still have to be read.
   */
  #extend(late: number): void {
    for (const deadline of this.#deadlines.toArray()) deadline.expiresAt += late + GRACE;
  }
}

const queues = new Map<number, DeadlineQueue>();
/** Most requests have the same timeout. */
let lastQueue: DeadlineQueue | undefined;

/** The queue for a timeout of `seconds`. */
export function deadlinesOf(seconds: number): DeadlineQueue {
  const ms = seconds * 1000;
  if (lastQueue?.ms === ms) return lastQueue;
  let queue = queues.get(ms);
  if (queue === undefined) queues.set(ms, queue = new DeadlineQueue(ms));
  return lastQueue = queue;
}
