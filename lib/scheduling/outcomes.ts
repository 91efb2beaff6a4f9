/**
 * Outcomes of the requests sent after a change, to judge its effect.
 *
 * @module
 */

/** Counts the outcomes of requests sent after `from`. */
export class Outcomes {
  /** Requests that the server accepted. */
  taken = 0;
  /** Requests that it refused. */
  refused = 0;

  /** `from` in milliseconds; by default all requests count. */
  constructor(readonly from = -Infinity) {}

  /** How many have been counted. */
  get total(): number {
    return this.taken + this.refused;
  }

  /** Counts a request that was sent at `sentAt`. */
  count(sentAt: number, isTaken: boolean): void {
    if (sentAt <= this.from) return;
    if (isTaken) this.taken++;
    else this.refused++;
  }
}
