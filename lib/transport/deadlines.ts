/**
 * Many deadlines on few timers. A timer for each request costs more than all else that a request
 * costs us; requests with the same limit expire in the order they began, so one timer for each
 * limit, set for the oldest, is enough.
 *
 * @module
 */
import { setTimeout } from "node:timers";

/** One running deadline. */
export interface Deadline {
  /** Ends the deadline without calling its function. */
  clear(): void;
}

interface Entry {
  readonly at: number;
  readonly expire: () => void;
}

/** The deadlines of one length. */
class Lane {
  #entries = new Set<Entry>();
  #armed = false;

  constructor(readonly ms: number) {}

  add(expire: () => void): Deadline {
    const entry = { at: performance.now() + this.ms, expire };
    this.#entries.add(entry);
    if (!this.#armed) this.#arm(this.ms);
    return { clear: () => this.#entries.delete(entry) };
  }

  #arm(ms: number): void {
    this.#armed = true;
    // Unreferenced: the pending request keeps the process alive, not its deadline.
    setTimeout(() => this.#expire(), ms).unref();
  }

  #expire(): void {
    this.#armed = false;
    const now = performance.now();
    for (const entry of this.#entries) {
      if (entry.at > now) return this.#arm(entry.at - now);
      this.#entries.delete(entry);
      entry.expire();
    }
  }
}

const lanes = new Map<number, Lane>();

/** Calls `expire` after `seconds`, unless the deadline is cleared before. */
export function startDeadline(seconds: number, expire: () => void): Deadline {
  const ms = seconds * 1000;
  let lane = lanes.get(ms);
  if (lane === undefined) lanes.set(ms, lane = new Lane(ms));
  return lane.add(expire);
}
