/**
 * Opens the virtual keys of a gateway's database, also while the gateway runs.
 *
 * @module
 */
import type { VirtualKey } from "../key_limits.ts";
import { toDollars } from "../ledger/money.ts";
import { dayOf } from "../ledger/periods.ts";
import { ledgerId, openLedgerFile } from "../ledger/sqlite_file.ts";
import { SqliteKeys } from "../ledger/sqlite_keys.ts";
import type { StoredKey } from "../ledger/ledger.ts";
import { ledgerError } from "../ledger/ledger_error.ts";
import type { DatabaseSync } from "node:sqlite";
import { stateOf } from "./key_settings.ts";
import { KeyStore } from "./key_store.ts";

/** A key with its state and what it has spent. */
export interface ListedKey extends VirtualKey {
  /** Whether it works. */
  state: "active" | "disabled" | "expired";
  /** USD in the current day, month and altogether (UTC), with open reservations. */
  spent: { day: number; month: number; total: number };
  /** Answered requests of the current day. */
  requests: number;
}

/**
 * The virtual keys in the database of a gateway; see {@link openKeyStore}.
 *
 * @example
 * ```ts
 * import { openKeyStore } from "@flexllm/flexllm";
 *
 * using keys = await openKeyStore("gateway.db");
 * console.table(keys.listWithSpending());
 * ```
 */
export class KeyFile extends KeyStore {
  readonly #database: DatabaseSync;
  readonly #table: SqliteKeys;
  /** The path of the database. */
  readonly path: string;
  readonly #now: () => number;

  /** Takes over an open database. */
  constructor(database: DatabaseSync, table: SqliteKeys, path: string, now: () => number) {
    super(table, now);
    this.#database = database;
    this.#table = table;
    this.path = path;
    this.#now = now;
  }

  /**
   * All keys with what they have spent, sorted by name.
   *
   * @throws {ConfigurationError} if the database cannot be read
   */
  listWithSpending(): ListedKey[] {
    try {
      const totals = this.#table.totals(dayOf(this.#now()), true);
      return this.list().map((key) => {
        const spent = { day: 0, month: 0, total: 0 };
        let requests = 0;
        // A key that has changed its team has a sum for each.
        for (const row of totals.filter((row) => row.key === key.id)) {
          spent.day += row.day;
          spent.month += row.month;
          spent.total += row.total;
          requests += row.requests;
        }
        return {
          ...key,
          state: stateOf(key, this.#now()),
          spent: {
            day: toDollars(spent.day),
            month: toDollars(spent.month),
            total: toDollars(spent.total),
          },
          requests,
        };
      });
    } catch (error) {
      throw ledgerError(error, this.path);
    }
  }

  /** Identifies the database, also after it has been moved or copied. */
  get id(): string {
    return ledgerId(this.#database);
  }

  /** The keys with the hashes of their secrets. */
  storedKeys(): readonly StoredKey[] {
    return this.#table.currentKeys(true);
  }

  /** Closes the database. */
  close(): void {
    this.#database.close();
  }

  /** Closes the database at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens the virtual keys in the database at `path`, creating it if necessary. A running gateway notices changes
 * within a second.
 *
 * @throws {ConfigurationError} if the file cannot be used
 *
 * @example
 * ```ts
 * import { openKeyStore } from "@flexllm/flexllm";
 *
 * using keys = await openKeyStore("gateway.db");
 * await keys.disable("alice");
 * for (const { name, state, spent } of keys.listWithSpending()) console.log(name, state, spent.month);
 * ```
 */
export async function openKeyStore(
  path: string,
  now: () => number = Date.now,
): Promise<KeyFile> {
  const database = await openLedgerFile(path);
  try {
    return new KeyFile(database, new SqliteKeys(database, path), path, now);
  } catch (error) {
    database.close();
    throw ledgerError(error, path);
  }
}
