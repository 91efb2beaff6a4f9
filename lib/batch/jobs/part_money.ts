/**
 * Holds the money that is reserved for a part until its results are collected.
 *
 * @module
 */
import type { Charge, Reservation } from "../../scheduling/budget.ts";

/** The reservations of one part. Its rows are reserved one by one, and settled together. */
export class PartMoney {
  #reservations: Reservation[] = [];

  /** Adds the reservation of a row, or of a whole part. */
  add(reservation: Reservation): void {
    this.#reservations.push(reservation);
  }

  /** USD that is reserved. */
  get reserved(): number {
    return this.#reservations.reduce((sum, { cost }) => sum + cost, 0);
  }

  /**
   * Records what the part has cost, and releases the rest.
   *
   * @param charge its cost may be `null`: then the reserved amount counts as spent
   */
  commit(charge: Charge): void {
    const { reserved } = this;
    const cost = charge.cost ?? (reserved > 0 ? reserved : null);
    // Before the others are released: nobody else may take the money in between.
    this.#reservations[0]?.commit({ ...charge, cost });
    this.release();
  }

  /** Releases everything: nothing was spent. */
  release(): void {
    for (const reservation of this.#reservations) reservation.release();
    this.#reservations = [];
  }
}
