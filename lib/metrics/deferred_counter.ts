/**
 * Adds to counters of Prometheus without the time that the library takes for each addition.
 *
 * @module
 */
import type { Counter } from "prom-client";

/** Adds up what a counter gets until the next scrape. */
export class DeferredCounter {
  readonly #counter: Counter.Internal;
  #pending = 0;

  constructor(counter: Counter.Internal) {
    this.#counter = counter;
  }

  /** Adds `value`. Ignores what is no positive number, which counters refuse and servers may send. */
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
