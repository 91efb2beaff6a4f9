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
  #isOpen = true;

  constructor(cost: number, account: PartAccount) {
    this.cost = cost;
    this.#account = account;
    account.hold(cost);
  }

  /** Records what the rows used, and releases the rest. */
  commit(charge: Charge): void {
    const reserved = this.#isOpen ? this.cost : 0;
    const { isLost, cost } = charge;
    // Rows that may have been billed, by an unknown amount.
    const known = isLost && cost === null ? { ...charge, cost: reserved } : charge;
    this.#account.record(known, reserved);
    this.release();
  }

  release(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#account.hold(-this.cost);
    this.#account.close();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
