/**
 * A reservation for rows of a provider batch. The log of the batch has the money until the rows are recorded, so
 * that no ledger has to.
 *
 * @module
 */
import type { Charge, Reservation } from "../scheduling/budget.ts";

/** The accounts of the tracker that a reservation belongs to. */
export interface PartAccount {
  /** Adds `amount` USD to what is reserved, or subtracts it. */
  hold(amount: number): void;
  /** Records a charge, for which `reserved` USD were reserved. */
  record(charge: Charge, reserved: number): void;
  /** Called once, after the last change. */
  close(): void;
}

/** Money for one row or many. What they used is committed at once, when it is known. */
export class PartReservation implements Reservation {
  readonly cost: number;
  readonly #account: PartAccount;
  /** USD that are still reserved. */
  #left: number;
  #isReleased = false;

  constructor(cost: number, account: PartAccount) {
    this.cost = this.#left = cost;
    this.#account = account;
    account.hold(cost);
  }

  commit(charge: Charge): void {
    const reserved = this.#left;
    this.#left = 0;
    this.#account.hold(-reserved);
    const { isLost, cost } = charge;
    // Rows that may have been billed, by an unknown amount.
    this.#account.record(
      isLost && cost === null ? { ...charge, cost: reserved } : charge,
      reserved,
    );
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#account.hold(-this.#left);
    this.#left = 0;
    this.#account.close();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
