/**
 * Many deadlines on few timers. A timer for each request costs more than all else that a request
 * costs us; requests with the same limit expire in the order they began, so one timer for each
 * limit, set for the oldest, is enough.
 *
 * @module
 */
import { setTimeout } from "node:timers";

/** What has a deadline; one at a time. */
export interface Expiring {
  /** When it expires, in the milliseconds of `performance.now()`; kept by its deadline. */
  expiresAt: number;
  /** Called when the deadline has passed. */
  expire(): void;
}

/** The deadlines of one length. */
export class Lane {
  #entries = new Set<Expiring>();
  #armed = false;

  /** `ms` is the length. */
  constructor(readonly ms: number) {}

  /** Begins the deadline of `entry`, anew if it has begun. */
  add(entry: Expiring): void {
    // Those that expire first come first.
    this.#entries.delete(entry);
    entry.expiresAt = performance.now() + this.ms;
    this.#entries.add(entry);
    if (!this.#armed) this.#arm(this.ms);
  }

  /** Ends the deadline of `entry`. */
  delete(entry: Expiring): void {
    this.#entries.delete(entry);
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
      if (entry.expiresAt > now) return this.#arm(entry.expiresAt - now);
      this.#entries.delete(entry);
      entry.expire();
    }
  }
}

const lanes = new Map<number, Lane>();

/** The lane of deadlines `seconds` long. */
export function laneOf(seconds: number): Lane {
  const ms = seconds * 1000;
  let lane = lanes.get(ms);
  if (lane === undefined) lanes.set(ms, lane = new Lane(ms));
  return lane;
}
