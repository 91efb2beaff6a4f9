/** A clock that advances only when all work waits for it. */
import { setImmediate, setTimeout } from "node:timers";
import type { Clock } from "../../lib/runtime/clock.ts";
import { AbortedError } from "../../lib/errors.ts";

/** Real milliseconds between checks of work that waits for something else, such as a module that is imported. */
const PAUSE_MS = 5;
/** Pauses in a row after which such work is considered stuck. */
const MAX_PAUSES = 2000;

export class VirtualClock implements Clock {
  #now = 0;
  readonly #sleepers = new Set<{ at: number; wake: () => void }>();

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(new AbortedError());
      });
    });
  }

  /** Advances the time until `work` is settled. */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    work.then(() => settled = true, () => settled = true);
    let pauses = 0;
    while (true) {
      // Run macrotasks, so that all work that needs no time is done first.
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
      if (settled) return await work;
      const next = [...this.#sleepers].sort((a, b) => a.at - b.at)[0];
      if (next === undefined) {
        if (++pauses > MAX_PAUSES) throw new Error("work waits for something other than the clock");
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        continue;
      }
      pauses = 0;
      this.#sleepers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
  }
}
