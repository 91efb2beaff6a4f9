/**
 * What became of the requests that were sent after a change, to find out what the change was good for.
 *
 * @module
 */

/** Counts what became of the requests that were sent after `from`. */
export class Outcomes {
  /** Requests that the server took. */
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
