/**
 * Counts the outcomes of requests sent after a rate change, to judge its effect.
 *
 * @module
 */

/** Counts the outcomes of requests sent after `from`. */
export class Outcomes {
  /** Requests that the server accepted. */
  accepted = 0;
  /** Requests that it refused with a 429. */
  refused = 0;

  /** @param from in milliseconds; by default all requests count */
  constructor(readonly from = -Infinity) {}

  /** Requests counted so far. */
  get total(): number {
    return this.accepted + this.refused;
  }

  /** Counts a request that was sent at `sentAt`. */
  count(sentAt: number, isAccepted: boolean): void {
    if (sentAt <= this.from) return;
    if (isAccepted) this.accepted++;
    else this.refused++;
  }
}
