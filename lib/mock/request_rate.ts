/**
 * The mock's limit of requests a second.
 *
 * @module
 */

import type { RequestLimit } from "./protocol.ts";

/** Counts the requests of the last second. */
export class RequestRate {
  readonly #limit: number;
  readonly #taken: number[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Where the limit stands. */
  state(now: number): RequestLimit {
    const oldest = this.#taken[0] ?? now - 1000;
    return {
      limit: this.#limit,
      remaining: Math.max(0, Math.floor(this.#limit - this.#taken.length)),
      reset: Math.max(0, oldest + 1000 - now) / 1000,
    };
  }

  /** Takes a request in; or gives the milliseconds until one would be. */
  take(now: number): number | undefined {
    while (this.#taken.length > 0 && this.#taken[0] <= now - 1000) this.#taken.shift();
    if (this.#taken.length >= this.#limit) return this.#taken[0] + 1000 - now;
    this.#taken.push(now);
    return undefined;
  }
}
