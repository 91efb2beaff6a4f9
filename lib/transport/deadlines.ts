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

/** The clock and timers of the runtime, in milliseconds. */
export interface Timing {
  now(): number;
  setTimer(callback: () => void, ms: number): void;
}

/** The machine's own time. */
const MACHINE: Timing = {
  now: () => performance.now(),
  // Unreferenced: the pending request keeps the process alive, not its deadline.
  setTimer: (callback, ms) => setTimeout(callback, ms).unref(),
};

/** A timer this late, in milliseconds, means that the process was suspended, not just busy. */
const SUSPENDED = 500;
/** Milliseconds to read what arrived while the process was suspended. */
const GRACE = 1000;

/** The deadlines of one length. */
export class Lane {
  #entries = new Set<Expiring>();
  /** When the timer fires; `undefined` when none is set. */
  #firesAt: number | undefined;
  readonly #timing: Timing;

  /** `ms` is the length. */
  constructor(readonly ms: number, timing: Timing = MACHINE) {
    this.#timing = timing;
  }

  /** How many deadlines are pending. */
  get size(): number {
    return this.#entries.size;
  }

  /** Starts the deadline of `entry`, or restarts it. */
  add(entry: Expiring): void {
    // Those that expire first come first.
    this.#entries.delete(entry);
    entry.expiresAt = this.#timing.now() + this.ms;
    this.#entries.add(entry);
    if (this.#firesAt === undefined) this.#arm(this.ms);
  }

  /** Ends the deadline of `entry`. */
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
    if (late > SUSPENDED) this.#forgive(late);
    for (const entry of this.#entries) {
      if (entry.expiresAt > now) return this.#arm(entry.expiresAt - now);
      this.#entries.delete(entry);
      entry.expire();
    }
  }

  /**
   * The process was suspended, so answers that arrived meanwhile have not been read yet: that time does
   * not count, and they get a moment to be read.
   */
  #forgive(late: number): void {
    for (const entry of this.#entries) entry.expiresAt += late + GRACE;
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
