/**
 * Adds to Prometheus counters without the cost that the library has for each addition.
 *
 * @module
 */
import type { Counter } from "prom-client";

/** Accumulates the value of a counter until the next scrape. */
export class DeferredCounter {
  readonly #counter: Counter.Internal;
  #pending = 0;

  constructor(counter: Counter.Internal) {
    this.#counter = counter;
  }

  /** Adds `value`. Ignores values that are not positive, which servers may send and counters reject. */
  add(value: number): void {
    if (value > 0 && value < Infinity) this.#pending += value;
  }

  /** Passes the sum on. A counter that never counted anything does not appear. */
  flush(): void {
    if (this.#pending === 0) return;
    this.#counter.inc(this.#pending);
    this.#pending = 0;
  }
}
