/**
 * A ledger that several gateways share through Redis. Each gateway keeps its own spending in its file, if it has one.
 *
 * @module
 */
import { randomInt } from "node:crypto";
import { clearInterval, setInterval } from "node:timers";
import { entriesOf } from "../../../redis/hash_entries.ts";
import type { RedisConnection } from "../../../redis/redis_connection.ts";
import { RedisUnavailableError } from "../../../redis/redis_error.ts";
import type { StoreLossPolicy } from "../../../redis/redis_settings.ts";
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
} from "../ledger.ts";
import { dayOf, firstKeptDay } from "../periods.ts";
import { SpendRows } from "../spend_rows.ts";
import type { SqliteLedger } from "../sqlite_ledger.ts";
import type { FleetMember } from "./fleet_member.ts";
import { LedgerExchange, SETTLE_DELAY } from "./ledger_exchange.ts";
import { LedgerRecovery } from "./ledger_recovery.ts";
import { LEAVE } from "./ledger_scripts.ts";
import { OutageReserve } from "./outage_reserve.ts";
import { OwnReservations } from "./own_reservations.ts";
import { type OwnSpend, rowOf } from "./own_spend.ts";
import { SharedBalances } from "./shared_balances.ts";
import type { SharedKeys } from "./shared_keys.ts";

/** Milliseconds between two looks at what other gateways do. */
const TICK_INTERVAL = 250;

/** What a shared ledger consists of. */
export interface SharedLedgerParts {
  connection: RedisConnection;
  member: FleetMember;
  keys: SharedKeys;
  /** The gateway's own file. */
  file: SqliteLedger | undefined;
  own: OwnSpend;
  onStoreLoss: Required<StoreLossPolicy>;
  /** Seconds for which money is spent without the server. */
  maxStoreLoss: number;
  onWarning: (message: string) => void;
  /** Gives the connection back. */
  release: () => Promise<void>;
}

/** Keys and spending that gateways share; see `openSharedLedger`. */
export class SharedLedger implements Ledger {
  readonly location: string;
  readonly #parts: SharedLedgerParts;
  readonly #base: string;
  readonly #own: OwnSpend;
  readonly #balances = new SharedBalances();
  readonly #reservations = new OwnReservations();
  readonly #outage: OutageReserve;
  readonly #exchange: LedgerExchange;
  readonly #recovery: LedgerRecovery;
  readonly #unwatch: () => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #ids = randomInt(2 ** 32) * 2 ** 20;
  #isClosed = false;

  constructor(parts: SharedLedgerParts) {
    this.#parts = parts;
    const { connection, member, file, own } = parts;
    this.location = file?.location ?? connection.address.shown;
    this.#base = connection.key("gateway");
    this.#own = own;
    const state = { ...parts, balances: this.#balances, reservations: this.#reservations };
    const outage = this.#outage = new OutageReserve(state);
    const exchange = this.#exchange = new LedgerExchange({ ...state, outage });
    const hasFile = file !== undefined;
    const recovery = this.#recovery = new LedgerRecovery({ ...state, hasFile, exchange });
    this.#unwatch = connection.watch({
      onDown: (error) => {
        own.fileAll();
        outage.began(error);
      },
      onReset: () => recovery.noteLoss(),
      onRestart: () => recovery.noteLoss(),
      onUp: () => void exchange.queue(() => this.#returned()),
    });
    this.#timer = setInterval(() => {
      if (connection.isUp && !member.isBusy) void exchange.queue(() => recovery.tick());
      else if (!connection.isUp) own.fileAll();
    }, TICK_INTERVAL);
  }

  /** Reports what the file holds, and learns what others have spent. */
  async start(): Promise<void> {
    await this.#exchange.queue(async () => {
      await this.#recovery.tick();
      while (!this.#own.isShared) {
        if (!await this.#exchange.run()) await this.#recovery.tick();
      }
      while (await this.#recovery.tick()) { /* There are more balances. */ }
    });
  }

  get recovered(): { requests: number; cost: number } {
    return this.#recovery.recovered;
  }

  /** The server's time in milliseconds since 1970. */
  now(): number {
    return this.#parts.member.now();
  }

  currentKeys(): readonly StoredKey[] {
    return this.#parts.keys.current;
  }

  async changeKeys(decide: (keys: readonly StoredKey[]) => KeyChange): Promise<void> {
    await this.#parts.keys.change(decide);
  }

  async spend(filter?: SpendFilter): Promise<SpendRow[]> {
    const rows = new SpendRows();
    if (this.#parts.connection.isUp) await this.flush();
    for (const row of await this.#allRows()) rows.add(row);
    const days = rows.select().map(({ day }) => day);
    if (days.length > 0) rows.prune(firstKeptDay(days.at(-1) || dayOf(this.now())));
    return rows.select(filter);
  }

  reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    return this.#exchange.reserve({ id: ++this.#ids, request, amount: request.amount });
  }

  commit(row: SpendRow, reservation?: LedgerReservation, remaining = 0): void {
    this.#exchange.noteDay(row.day);
    this.#own.add(row);
    this.#balances.add("s", row, row.day, row.cost, row.requests);
    if (reservation !== undefined) this.#keep(reservation, remaining);
    else this.#exchange.soon(SETTLE_DELAY);
    if (!this.#parts.connection.isUp) this.#own.fileAll();
  }

  release(reservation: LedgerReservation): void {
    this.#keep(reservation, 0);
  }

  watch(onRelease: (scopes: readonly string[]) => void): void {
    this.#recovery.onRelease = onRelease;
  }

  balance(scope: string, day: string): BalanceState {
    return this.#balances.get(scope, day);
  }

  async flush(): Promise<void> {
    const { connection, file } = this.#parts;
    await this.#exchange.queue(async () => {
      while (this.#exchange.hasWork && connection.isUp) {
        if (!await this.#exchange.run()) break;
      }
    });
    this.#own.fileAll();
    await file?.flush();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    const { connection, member, keys, file, release } = this.#parts;
    clearInterval(this.#timer);
    await this.flush();
    this.#isClosed = true;
    this.#exchange.close();
    this.#unwatch();
    if (connection.isUp) {
      try {
        await keys.resign();
        await connection.run(LEAVE, [this.#base], [member.instance]);
      } catch {
        // The others notice that this gateway has gone.
      }
    }
    await file?.close();
    await release();
  }

  async #allRows(): Promise<SpendRow[]> {
    const { connection, file } = this.#parts;
    try {
      const sources = await connection.command(["SMEMBERS", `${this.#base}:sources`]) as string[];
      const hashes = await connection.pipeline(
        [...sources, "ended"].map((source) => ["HGETALL", `${this.#base}:rows:${source}`]),
      );
      return hashes.flatMap((hash) => entriesOf(hash).map(([field, sums]) => rowOf(field, sums)));
    } catch (error) {
      if (!(error instanceof RedisUnavailableError)) throw error;
      return file === undefined ? this.#own.rows() : await file.spend();
    }
  }

  #keep(reservation: LedgerReservation, remaining: number): void {
    const { request, amount } = reservation;
    this.#balances.add("r", request, request.day, remaining - amount);
    if (this.#reservations.keep(reservation, remaining)) this.#exchange.soon(SETTLE_DELAY);
  }

  async #returned(): Promise<void> {
    await this.#recovery.catchUp();
    this.#outage.ended();
  }
}
