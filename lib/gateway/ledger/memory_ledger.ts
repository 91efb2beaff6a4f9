/**
 * A ledger in memory, for tests and for gateways that forget their spending when they stop.
 *
 * @module
 */
import { Balances } from "./balances.ts";
import type {
  BalanceState,
  KeyChange,
  Ledger,
  LedgerReservation,
  ReserveOutcome,
  ReserveRequest,
  SpendFilter,
  SpendRow,
  StoredKey,
} from "./ledger.ts";
import { changedKeys } from "./changed_keys.ts";
import { firstKeptDay } from "./periods.ts";
import { SpendRows } from "./spend_rows.ts";

/** Keys and spending until the process ends. */
export class MemoryLedger implements Ledger {
  readonly recovered = { requests: 0, cost: 0 };
  readonly #balances = new Balances();
  readonly #rows = new SpendRows();
  #keys: readonly StoredKey[] = [];
  #ids = 0;
  #prunedOn = "";

  currentKeys(): readonly StoredKey[] {
    return this.#keys;
  }

  // deno-lint-ignore require-await -- errors of `decide` must reject
  async changeKeys(decide: (keys: readonly StoredKey[]) => KeyChange): Promise<void> {
    this.#keys = changedKeys(this.#keys, decide(this.#keys));
  }

  spend(filter?: SpendFilter): Promise<SpendRow[]> {
    return Promise.resolve(this.#rows.select(filter).map((row) => ({ ...row })));
  }

  reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    const shortage = this.#balances.reserve(request);
    if (shortage !== undefined) return Promise.resolve({ shortage });
    return Promise.resolve({
      reservation: { id: ++this.#ids, request, amount: request.amount },
    });
  }

  commit(row: SpendRow, reservation?: LedgerReservation, remaining = 0): void {
    this.#balances.spend(row);
    this.#rows.add(row);
    if (row.day > this.#prunedOn) {
      this.#prunedOn = row.day;
      this.#rows.prune(firstKeptDay(row.day));
    }
    if (reservation !== undefined) this.#balances.keep(reservation, remaining);
  }

  release(reservation: LedgerReservation): void {
    this.#balances.keep(reservation, 0);
  }

  balance(scope: string, day: string): BalanceState {
    return this.#balances.get(scope, day);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
