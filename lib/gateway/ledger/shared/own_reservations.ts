/**
 * Keeps the open reservations of one gateway, and what the server does not know of them.
 *
 * @module
 */
import type { LedgerReservation } from "../ledger.ts";

/** Changes that are on their way to the server. */
export interface ReservationChanges {
  /** Ids of reservations, and what is still reserved. */
  settled: ReadonlyMap<number, number>;
  /** Reservations that the server may lack, although they were made. */
  restored: readonly LedgerReservation[];
}

/** The reservations of this gateway. */
export class OwnReservations {
  /** Those that the server may have. */
  readonly #open = new Map<number, LedgerReservation>();
  readonly #restored = new Set<LedgerReservation>();
  #settled = new Map<number, number>();

  /** Whether there are changes that the server does not know. */
  get hasChanges(): boolean {
    return this.#settled.size > 0 || this.#restored.size > 0;
  }

  /** The server has made a reservation. */
  add(reservation: LedgerReservation): void {
    this.#open.set(reservation.id, reservation);
  }

  /** This gateway has made a reservation by itself, and reports it to the server. */
  addAlone(reservation: LedgerReservation): void {
    this.add(reservation);
    this.#restored.add(reservation);
  }

  /** Reduces a reservation to `remaining`. Returns whether the server has to know. */
  keep(reservation: LedgerReservation, remaining: number): boolean {
    const { id } = reservation;
    reservation.amount = remaining;
    if (!this.#open.has(id)) return false;
    this.#settled.set(id, remaining);
    if (remaining === 0) {
      this.#open.delete(id);
      this.#restored.delete(reservation);
    }
    return true;
  }

  /** Releases a reservation that was refused here, but that the server may have made. */
  discard({ id }: LedgerReservation): void {
    this.#settled.set(id, 0);
  }

  /** What is reserved, by id. */
  get amounts(): Record<string, number> {
    return Object.fromEntries(Array.from(this.#open.values(), ({ id, amount }) => [id, amount]));
  }

  /** Reports all open reservations again. */
  restoreAll(): void {
    for (const reservation of this.#open.values()) this.#restored.add(reservation);
  }

  /** Removes the changes, to send them. */
  take(): ReservationChanges {
    const settled = this.#settled;
    this.#settled = new Map();
    const restored = Array.from(this.#restored);
    this.#restored.clear();
    return { settled, restored };
  }

  /** The server may not have these changes: they are sent again. */
  putBack({ settled, restored }: ReservationChanges): void {
    this.#settled = new Map([...settled, ...this.#settled]);
    for (const reservation of restored) {
      if (this.#open.has(reservation.id)) this.#restored.add(reservation);
    }
  }
}
