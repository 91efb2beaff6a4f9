/**
 * A ledger in an SQLite file, for one gateway. Its balances are in memory; the file makes them survive.
 *
 * @module
 */
import { realpathSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ConfigurationError } from "../../errors.ts";
import { type FileLock, tryLock } from "../../runtime/file_lock.ts";
import { GatewayError } from "../gateway_error.ts";
import { Balances } from "./balances.ts";
import { GroupCommit, type WriteGroup } from "./group_commit.ts";
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
import { ledgerError, ledgerFailure } from "./ledger_error.ts";
import { PlacedFile } from "./placed_file.ts";
import { firstKeptDay } from "./periods.ts";
import { COUNTS } from "./spend_rows.ts";
import { MAX_STORED, storable, sumOf } from "./stored_number.ts";
import { transaction } from "../../runtime/sqlite.ts";
import { ledgerId, openLedgerFile } from "./sqlite_file.ts";
import { SqliteKeys } from "./sqlite_keys.ts";

const COUNT_COLUMNS = COUNTS.map((name) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`));

/**
 * Adds a row of spending to the sum of its day. Sums stop at the largest number that JavaScript can read:
 * SQLite would store larger ones, and then no total that includes them could be read any more.
 */
function addToSum(values: string): string {
  const sums = COUNT_COLUMNS.map((column) =>
    `${column} = min(${column} + excluded.${column}, ${MAX_STORED})`
  );
  // Without WHERE, SQLite would read ON CONFLICT as a join.
  return `INSERT INTO spend ${values} WHERE true ON CONFLICT DO UPDATE SET ${sums.join(", ")}`;
}

const ADD_SPEND = addToSum(`SELECT ?, ?, ?, ?, ?, ${COUNT_COLUMNS.map(() => "?").join(", ")}`);

const RECOVER = addToSum(`
  SELECT * FROM (
    SELECT day, key, team, route, '', count(*), 0, 0, 0, 0, 0, 0, ${sumOf("cost")}
    FROM reservations GROUP BY day, key, team, route
  )`);

const PRUNE = addToSum(`
  SELECT * FROM (
    SELECT '', key, team, model, endpoint, ${COUNT_COLUMNS.map((name) => sumOf(name)).join(", ")}
    FROM spend WHERE day < ?1 AND day <> '' GROUP BY key, team, model, endpoint
  )`);

/** Records the reservations of a process that was killed as spent. */
function recover(database: DatabaseSync): { requests: number; cost: number } {
  const { requests, cost } = database.prepare(
    `SELECT count(*) AS requests, coalesce(${sumOf("cost")}, 0) AS cost FROM reservations`,
  ).get() as { requests: number; cost: number };
  if (requests > 0) {
    database.exec(RECOVER);
    database.exec("DELETE FROM reservations");
  }
  return { requests, cost };
}

/** Moves the days before `day` into the sums without a day. */
function prune(database: DatabaseSync, day: string): void {
  database.prepare(PRUNE).run(day);
  database.prepare("DELETE FROM spend WHERE day < ? AND day <> ''").run(day);
}

/** What an open ledger consists of. */
interface Parts {
  database: DatabaseSync;
  path: string;
  lock: FileLock;
  day: string;
  onWarning: (message: string) => void;
}

/** Keys and spending in an SQLite file; see {@link openSqliteLedger}. */
export class SqliteLedger implements Ledger {
  readonly location: string;
  readonly recovered: { requests: number; cost: number };
  /** Identifies the file, also after it has been moved or copied. */
  readonly id: string;
  readonly #database: DatabaseSync;
  readonly #lock: FileLock;
  readonly #keys: SqliteKeys;
  readonly #balances = new Balances();
  readonly #group: GroupCommit;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #delete: StatementSync;
  readonly #addSpend: StatementSync;
  #ids = 0;
  #prunedOn: string;
  #isClosed = false;

  constructor({ database, path, lock, day, onWarning }: Parts) {
    this.location = path;
    this.id = ledgerId(database);
    this.#database = database;
    this.#lock = lock;
    this.#prunedOn = day;
    this.recovered = transaction(database, () => {
      prune(database, firstKeptDay(day));
      return recover(database);
    });
    this.#keys = new SqliteKeys(database, path);
    this.#balances.load(this.#keys.totals(day, false), day);
    this.#insert = database.prepare("INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?)");
    this.#update = database.prepare("UPDATE reservations SET cost = ? WHERE id = ?");
    this.#delete = database.prepare("DELETE FROM reservations WHERE id = ?");
    this.#addSpend = database.prepare(ADD_SPEND);
    const file = new PlacedFile(path);
    this.#group = new GroupCommit({
      write: (group) => {
        file.check();
        transaction(database, () => this.#write(group));
      },
      onFailure: (error) => {
        const { problem, hint = "" } = ledgerFailure(error);
        onWarning(`the gateway's database ${path} ${problem}; retrying. ${hint}`.trimEnd());
      },
    });
  }

  currentKeys(fresh?: boolean): readonly StoredKey[] {
    return this.#keys.currentKeys(fresh);
  }

  changeKeys(decide: (keys: readonly StoredKey[]) => KeyChange): Promise<void> {
    return this.#keys.changeKeys(decide);
  }

  async spend(filter?: SpendFilter): Promise<SpendRow[]> {
    this.#group.flush();
    return await this.#keys.spend(filter);
  }

  async reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    const shortage = this.#balances.reserve(request);
    if (shortage !== undefined) return { shortage };
    const reservation = { id: ++this.#ids, request, amount: request.amount };
    try {
      await this.#group.reserve(reservation);
    } catch (error) {
      this.#balances.keep(reservation, 0);
      const { problem } = ledgerFailure(error);
      throw new GatewayError(503, `the gateway cannot store spending: its database ${problem}`, {
        reason: "ledger_unavailable",
        retryAfter: 5,
        cause: error,
      });
    }
    return { reservation };
  }

  commit(row: SpendRow, reservation?: LedgerReservation, remaining = 0): void {
    this.#balances.spend(row);
    if (reservation !== undefined) this.#balances.keep(reservation, remaining);
    this.#group.settle(row, reservation);
  }

  release(reservation: LedgerReservation): void {
    this.#balances.keep(reservation, 0);
    this.#group.settle(undefined, reservation);
  }

  balance(scope: string, day: string): BalanceState {
    return this.#balances.get(scope, day);
  }

  flush(): Promise<void> {
    this.#group.flush();
    return Promise.resolve();
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    this.#group.flush();
    this.#group.stop();
    this.#database.close();
    this.#lock.release();
    return Promise.resolve();
  }

  #write({ reservations, remaining, spend }: WriteGroup): void {
    for (const { id, request } of reservations) {
      const { day, key, team, route, amount } = request;
      this.#insert.run(id, day, key, team, route, amount);
    }
    for (const [id, amount] of remaining) {
      if (amount === 0) this.#delete.run(id);
      else this.#update.run(amount, id);
    }
    for (const row of spend) {
      const { day, key, team, model, endpoint } = row;
      const counts = COUNTS.map((count) => storable(row[count]));
      this.#addSpend.run(day, key, team, model, endpoint, ...counts);
      if (day > this.#prunedOn) {
        prune(this.#database, firstKeptDay(day));
        this.#prunedOn = day;
      }
    }
  }
}

/**
 * Opens the ledger at `path` for one gateway, creating it if necessary.
 *
 * @throws {ConfigurationError} if another gateway uses it, or the file cannot be used
 */
export async function openSqliteLedger(
  path: string,
  day: string,
  onWarning: (message: string) => void = () => {},
): Promise<SqliteLedger> {
  const database = await openLedgerFile(path);
  let lock: FileLock | undefined;
  try {
    // The same for every path that leads to the file.
    lock = await tryLock(`${realpathSync(path)}.lock`);
    if (lock === undefined) {
      throw new ConfigurationError(`another gateway is using the database ${path}`, {
        hint: "Stop it first, or choose another file with --database or serve.database.",
      });
    }
    return new SqliteLedger({ database, path, lock, day, onWarning });
  } catch (error) {
    database.close();
    lock?.release();
    throw ledgerError(error, path);
  }
}
