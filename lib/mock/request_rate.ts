/**
 * The mock's limit of requests per second.
 *
 * @module
 */
import type { RequestLimit } from "../protocols/serve.ts";

/** Counts the requests of the last second. Times are in milliseconds. */
export class RequestRate {
  readonly #limit: number;
  /** When each of them arrived. */
  readonly #arrivals: number[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The state of the limit. */
  state(now: number): RequestLimit {
    const oldest = this.#arrivals[0] ?? now - 1000;
    return {
      limit: this.#limit,
      remaining: Math.max(0, Math.floor(this.#limit - this.#arrivals.length)),
      reset: Math.max(0, oldest + 1000 - now) / 1000,
    };
  }

  /**
   * Counts a request if the limit allows it.
   *
   * @returns milliseconds until the next request is allowed, `undefined` if this one is
   */
  take(now: number): number | undefined {
    while (this.#arrivals.length > 0 && this.#arrivals[0] <= now - 1000) this.#arrivals.shift();
    if (this.#arrivals.length >= this.#limit) return this.#arrivals[0] + 1000 - now;
    this.#arrivals.push(now);
    return undefined;
  }
}
