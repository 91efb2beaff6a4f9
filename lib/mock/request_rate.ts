/**
 * The mock's limit of requests a second.
 *
 * @module
 */

/** Counts the requests of the last second. */
export class RequestRate {
  readonly #limit: number;
  readonly #taken: number[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a request in; or gives the milliseconds until one would be. */
  take(now: number): number | undefined {
    if (this.#limit === Infinity) return undefined;
    while (this.#taken.length > 0 && this.#taken[0] <= now - 1000) this.#taken.shift();
    if (this.#taken.length >= this.#limit) return this.#taken[0] + 1000 - now;
    this.#taken.push(now);
    return undefined;
  }
}
