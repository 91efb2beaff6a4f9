/**
 * Distinguishes real rate limits from random refusals by the requests that were in flight when one was refused.
 *
 * Beyond a real limit all of them are refused; at random only some are.
 *
 * @module
 */

/** Requests needed for a meaningful share. */
const MIN_REQUESTS = 4;

/** The requests that were in flight at a refusal. */
export class RefusalWave {
  #refused = 0;

  /**
   * @param from the number of the refused request; the wave consists of the requests after it
   * @param to the number of the last request in flight
   * @param dueAt when all refusals should have arrived, in milliseconds
   */
  constructor(readonly from: number, readonly to: number, readonly dueAt: number) {}

  /** Records that request number `order` was refused as well. */
  refuse(order: number): void {
    if (order > this.from && order <= this.to) this.#refused++;
  }

  /** Requests in the wave. */
  get sent(): number {
    return this.to - this.from;
  }

  /** The share that was not refused; `undefined` if there were too few requests. */
  get acceptedShare(): number | undefined {
    return this.sent < MIN_REQUESTS ? undefined : 1 - this.#refused / this.sent;
  }
}
