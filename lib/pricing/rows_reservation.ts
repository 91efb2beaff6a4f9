/**
 * The reservation of a part of a provider batch: money for many requests, which is committed row by row.
 *
 * @module
 */
import type { Charge, Reservation } from "../scheduling/budget.ts";

/** The accounts of the tracker that a reservation belongs to. */
export interface RowsAccount {
  /** Adds `amount` USD to what is reserved, or subtracts it. */
  hold(amount: number): void;
  /** Records a charge, for which `reserved` USD were reserved. */
  record(charge: Charge, reserved: number): void;
  /** Called once, after the last change. */
  close(): void;
}

/** Money for the rows of one part, in equal shares. */
export class RowsReservation implements Reservation {
  readonly cost: number;
  readonly #share: number;
  readonly #account: RowsAccount;
  /** USD that are still reserved. */
  #left: number;
  #isReleased = false;

  constructor(cost: number, rows: number, account: RowsAccount) {
    this.cost = cost;
    this.#share = cost / Math.max(1, rows);
    this.#left = cost;
    this.#account = account;
    account.hold(cost);
  }

  /** Records what one row used, and releases its share. */
  commit(charge: Charge): void {
    const share = this.#isReleased ? 0 : Math.min(this.#share, this.#left);
    this.#left -= share;
    this.#account.hold(-share);
    const { isLost, cost } = charge;
    // A row that may have been billed, by an unknown amount.
    this.#account.record(isLost && cost === null ? { ...charge, cost: share } : charge, share);
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#account.hold(-this.#left);
    this.#account.close();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
