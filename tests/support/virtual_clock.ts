/** A clock that advances only when all work waits for it. */
import { setImmediate } from "node:timers";
import type { Clock } from "../../lib/runtime/clock.ts";
import { AbortedError } from "../../lib/errors.ts";

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
    while (true) {
      // Run macrotasks, so that all work that needs no time is done first.
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
      if (settled) return await work;
      const next = [...this.#sleepers].sort((a, b) => a.at - b.at)[0];
      if (next === undefined) throw new Error("nothing waits for the clock, yet work is not done");
      this.#sleepers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
  }
}
