/**
 * A ledger that several gateways share through Redis. Each gateway keeps its own spending in its file, if it has one.
 *
 * @module
 */
import { randomInt } from "node:crypto";
import { clearInterval, setImmediate, setInterval, setTimeout } from "node:timers";
import type { RedisConnection } from "../../../redis/redis_connection.ts";
import { RedisUnavailableError } from "../../../redis/redis_error.ts";
import type { StoreLossPolicy } from "../../../redis/redis_settings.ts";
import { GatewayError } from "../../gateway_error.ts";
import { ledgerFailure } from "../ledger_error.ts";
import type {
  BalanceState,
  KeyChange,
  Ledger,
  LedgerReservation,
  ReserveOutcome,
  ReserveRequest,
  ScopeBudget,
  SpendFilter,
  SpendRow,
  StoredKey,
} from "../ledger.ts";
import { type BudgetPeriod, DAY, dayOf, firstKeptDay } from "../periods.ts";
import { SpendRows } from "../spend_rows.ts";
import type { SqliteLedger } from "../sqlite_ledger.ts";
import { EXCHANGE, LEAVE, RESTORE } from "./ledger_scripts.ts";
import type { FleetMember, Tick } from "./fleet_member.ts";
import { fieldOf, type OwnSpend, rowOf } from "./own_spend.ts";
import { SharedBalances } from "./shared_balances.ts";
import type { SharedKeys } from "./shared_keys.ts";

/** Milliseconds between two looks at what other gateways do. */
const TICK_INTERVAL = 250;
/** Milliseconds for which what was spent waits for a reservation that takes it along. */
const SETTLE_DELAY = 10;
/** Maximum reservations, and maximum rows, of one exchange. */
const BATCH = 200;
/** Milliseconds until an exchange is repeated that the server has refused, or that has to wait. */
const RETRY_DELAY = 100;
/** Milliseconds for which no budget is granted after the server has lost its data: all gateways report first. */
const RECOVERY_TIME = 3000;
/** Seconds after which clients may try again while the server cannot be used. */
const RETRY_AFTER = 5;

interface WaitingReservation {
  reservation: LedgerReservation;
  resolve: (outcome: ReserveOutcome) => void;
  reject: (error: unknown) => void;
}

/** The sums of a scope: its name, and names and values. */
type ScopeSums = [scope: string, sums: string[]];

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

function encodedReservation({ id, request, amount }: LedgerReservation, budgets?: unknown) {
  const { key, team, day, route } = request;
  const field = fieldOf({ day, key, team, model: route, endpoint: "" });
  return { id: String(id), key, team, day, field, amount, budgets };
}

/** Keys and spending that gateways share; see `openSharedLedger`. */
export class SharedLedger implements Ledger {
  readonly location: string;
  readonly recovered = { requests: 0, cost: 0 };
  readonly #parts: SharedLedgerParts;
  readonly #base: string;
  readonly #balances = new SharedBalances();
  readonly #own: OwnSpend;
  /** Reservations that the server may have. */
  readonly #open = new Map<number, LedgerReservation>();
  /** Reservations that the server may lack, although they were made. */
  readonly #restored = new Set<LedgerReservation>();
  #waiting: WaitingReservation[] = [];
  #settled = new Map<number, number>();
  #ids = randomInt(2 ** 32) * 2 ** 20;
  #work: Promise<void> = Promise.resolve();
  #isSoon = false;
  #isRecovering = false;
  #hasLostData = false;
  #hasFailed = false;
  #isClosed = false;
  #lastDay = "";
  #onRelease: (scopes: readonly string[]) => void = () => {};
  readonly #unwatch: () => void;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(parts: SharedLedgerParts) {
    this.#parts = parts;
    const { connection, member, file, own } = parts;
    this.location = file?.location ?? connection.address.shown;
    this.#base = connection.key("gateway");
    this.#own = own;
    this.#unwatch = connection.watch({
      onDown: (error) => this.#lost(error),
      onReset: () => this.#hasLostData = true,
      onUp: () => void this.#queue(() => this.#returned()),
    });
    this.#timer = setInterval(() => {
      if (connection.isUp && !member.isBusy) void this.#queue(() => this.#tick());
      else if (!connection.isUp) this.#own.fileAll();
    }, TICK_INTERVAL);
  }

  /** Reports what the file holds, and learns what others have spent. */
  async start(): Promise<void> {
    await this.#queue(async () => {
      await this.#tick();
      while (!this.#own.isShared) await this.#exchange();
      while (await this.#tick()) { /* There are more balances. */ }
    });
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
    if (days.length > 0) rows.prune(firstKeptDay(days.at(-1) || this.#today()));
    return rows.select(filter);
  }

  reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    const reservation = { id: ++this.#ids, request, amount: request.amount };
    return new Promise((resolve, reject) => {
      this.#waiting.push({ reservation, resolve, reject });
      this.#soon();
    });
  }

  commit(row: SpendRow, reservation?: LedgerReservation, remaining = 0): void {
    this.#lastDay = row.day > this.#lastDay ? row.day : this.#lastDay;
    this.#own.add(row);
    this.#balances.add("s", row, row.day, row.cost, row.requests);
    if (reservation !== undefined) this.#keep(reservation, remaining);
    else this.#soon(SETTLE_DELAY);
    if (!this.#parts.connection.isUp) this.#own.fileAll();
  }

  release(reservation: LedgerReservation): void {
    this.#keep(reservation, 0);
  }

  watch(onRelease: (scopes: readonly string[]) => void): void {
    this.#onRelease = onRelease;
  }

  balance(scope: string, day: string): BalanceState {
    return this.#balances.get(scope, day);
  }

  async flush(): Promise<void> {
    await this.#queue(async () => {
      while (this.#hasWork && this.#parts.connection.isUp) {
        if (!await this.#exchange()) break;
      }
    });
    this.#own.fileAll();
    await this.#parts.file?.flush();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    const { connection, member, keys, file, release } = this.#parts;
    clearInterval(this.#timer);
    await this.flush();
    this.#isClosed = true;
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

  get #hasWork(): boolean {
    return this.#waiting.length > 0 || this.#settled.size > 0 || this.#restored.size > 0 ||
      !this.#own.isShared;
  }

  #today(): string {
    return dayOf(this.now());
  }

  async #allRows(): Promise<SpendRow[]> {
    const { connection, file } = this.#parts;
    try {
      const sources = await connection.command(["SMEMBERS", `${this.#base}:sources`]) as string[];
      const hashes = await connection.pipeline(
        [...sources, "ended"].map((source) => ["HGETALL", `${this.#base}:rows:${source}`]),
      ) as (string[] | Record<string, string>)[];
      return hashes.flatMap((hash) => entriesOf(hash).map(([field, sums]) => rowOf(field, sums)));
    } catch (error) {
      if (!(error instanceof RedisUnavailableError)) throw error;
      return file === undefined ? this.#own.rows() : await file.spend();
    }
  }

  #keep(reservation: LedgerReservation, remaining: number): void {
    const { id, request, amount } = reservation;
    reservation.amount = remaining;
    this.#balances.add("r", request, request.day, remaining - amount);
    if (!this.#open.has(id)) return;
    this.#settled.set(id, remaining);
    if (remaining === 0) {
      this.#open.delete(id);
      this.#restored.delete(reservation);
    }
    this.#soon(SETTLE_DELAY);
  }

  /** Runs one piece of work after the other, so that replies arrive in order. */
  #queue(work: () => Promise<unknown>): Promise<void> {
    return this.#work = this.#work.then(async () => {
      if (this.#isClosed) return;
      try {
        await work();
      } catch (error) {
        if (!(error instanceof RedisUnavailableError)) this.#failed(error);
      }
    });
  }

  #soon(delay = 0): void {
    if (this.#isSoon && delay > 0) return;
    const run = () => {
      this.#isSoon = false;
      void this.#queue(() => this.#exchange());
    };
    if (delay > 0) setTimeout(run, delay);
    else if (this.#waiting.length === 1) setImmediate(run);
    this.#isSoon = true;
  }

  /** Exchanges what is pending for the sums of all. Returns whether that has worked. */
  async #exchange(force = false): Promise<boolean> {
    if (!this.#hasWork) return true;
    const { connection, member } = this.#parts;
    const waiting = this.#waiting.splice(0, BATCH);
    if (!connection.isUp) {
      for (const entry of waiting) this.#reserveAlone(entry, false);
      this.#own.fileAll();
      return false;
    }
    const settled = this.#settled;
    this.#settled = new Map();
    const restored = Array.from(this.#restored);
    this.#restored.clear();
    const rows = this.#own.take(BATCH);
    for (const { reservation: { request } } of waiting) {
      if (request.day > this.#lastDay) this.#lastDay = request.day;
    }
    this.#balances.send();
    const order = {
      instance: member.instance,
      source: member.source,
      keptFrom: this.#lastDay === "" ? "" : dayOf(Date.parse(this.#lastDay) - 3 * DAY),
      settled: Array.from(settled, ([id, remaining]) => [String(id), remaining]),
      restored: restored.map((reservation) => encodedReservation(reservation)),
      rows,
      reserved: force
        ? []
        : waiting.map(({ reservation }) =>
          encodedReservation(reservation, reservation.request.budgets)
        ),
    };
    let reply: [results: string[][], balances: ScopeSums[]];
    try {
      reply = await connection.run(EXCHANGE, [this.#base], [JSON.stringify(order)]) as typeof reply;
    } catch (error) {
      this.#balances.takeBack();
      this.#own.putBack(rows);
      this.#settled = new Map([...settled, ...this.#settled]);
      for (const reservation of restored) {
        if (this.#open.has(reservation.id)) this.#restored.add(reservation);
      }
      if (!(error instanceof RedisUnavailableError)) {
        for (const { reject } of waiting) reject(unavailable(`it refuses a script: ${error}`));
        this.#failed(error);
        setTimeout(() => this.#soon(SETTLE_DELAY), RETRY_DELAY);
        return false;
      }
      // They may have been made all the same.
      for (const entry of waiting) this.#reserveAlone(entry, true);
      return false;
    }
    this.#hasFailed = false;
    this.#balances.confirm();
    this.#own.confirm(rows);
    for (const [scope, sums] of reply[1]) this.#balances.load(scope, sums);
    if (force) this.#waiting.unshift(...waiting);
    else waiting.forEach((entry, i) => this.#answer(entry, reply[0][i]));
    if (this.#waiting.length > 0 || !this.#own.isShared) {
      setImmediate(() => void this.#queue(() => this.#exchange()));
    }
    return true;
  }

  #answer(entry: WaitingReservation, result: string[]): void {
    const { reservation, resolve } = entry;
    if (result.length === 0) {
      this.#open.set(reservation.id, reservation);
      resolve({ reservation });
      return;
    }
    if (result[0] === "wait") {
      setTimeout(() => {
        this.#waiting.push(entry);
        void this.#queue(() => this.#exchange());
      }, RETRY_DELAY);
      return;
    }
    const [scope, period, limit, spent, reserved, isFinal] = result;
    resolve({
      shortage: {
        scope,
        period: period as BudgetPeriod,
        limit: Number(limit),
        spent: Number(spent),
        reserved: Number(reserved),
        isFinal: Number(isFinal) === 1,
      },
    });
  }

  /** Reserves while the server cannot be used: an equal part of what is left, and for some seconds only. */
  #reserveAlone({ reservation, resolve, reject }: WaitingReservation, mayExist: boolean): void {
    const { connection, member, onStoreLoss, maxStoreLoss } = this.#parts;
    const { request, amount, id } = reservation;
    const isLate = connection.downFor >= maxStoreLoss * 1000;
    if (isLate && onStoreLoss.budget === "stop") {
      if (mayExist) this.#settled.set(id, 0);
      reject(unavailable("it cannot be used"));
      return;
    }
    const gateways = isLate ? 1 : member.size;
    const budgets: readonly ScopeBudget[] = request.budgets;
    const shortage = this.#balances.shortage(budgets, request.day, amount, gateways);
    if (shortage !== undefined) {
      if (mayExist) this.#settled.set(id, 0);
      resolve({ shortage });
      return;
    }
    this.#balances.add("r", request, request.day, amount);
    this.#open.set(id, reservation);
    this.#restored.add(reservation);
    resolve({ reservation });
  }

  /** Learns what others have done. Returns whether there is more to learn. */
  async #tick(): Promise<boolean> {
    const { member, keys } = this.#parts;
    const tick = await member.tick();
    if (tick.hasLostData || this.#hasLostData) {
      await this.#recover();
      return true;
    }
    if (!tick.wasKnown) this.#rejoin();
    if (tick.recovered > 0) this.#noteRecovered(tick);
    const freed = tick.balances.filter(([scope, sums]) => this.#balances.load(scope, sums));
    await keys.tick(tick.keysVersion);
    if (freed.length > 0) this.#onRelease(freed.map(([scope]) => scope));
    return tick.hasMore;
  }

  #noteRecovered({ recovered, recoveredCost }: Tick): void {
    this.recovered.requests += recovered;
    this.recovered.cost += recoveredCost;
    this.#parts.onWarning(
      `another gateway was killed during ${recovered} ${
        recovered === 1 ? "request" : "requests"
      }; ` +
        `their reserved $${(recoveredCost / 1e9).toFixed(4)} count as spent`,
    );
  }

  /** The others have taken this gateway for dead: its reservations count as spent until it says more. */
  #rejoin(): void {
    const { member, file } = this.#parts;
    for (const reservation of this.#open.values()) this.#restored.add(reservation);
    if (file === undefined && member.hasTicked) {
      member.renewSource();
      this.#own.restart();
    }
    this.#soon(SETTLE_DELAY);
  }

  /** The server has lost its data: reports everything again before any gateway grants money. */
  async #recover(): Promise<void> {
    this.#hasLostData = true;
    const { connection, member, keys } = this.#parts;
    await connection.command(["SET", `${this.#base}:recovering`, "1", "PX", RECOVERY_TIME]);
    this.#own.forgetShared();
    for (const reservation of this.#open.values()) this.#restored.add(reservation);
    const ended = JSON.stringify(this.#balances.ended());
    while (this.#restored.size > 0 || this.#settled.size > 0 || !this.#own.isShared) {
      if (!await this.#exchange(true)) return;
    }
    await connection.run(RESTORE, [this.#base], [ended]);
    member.forgetChanges();
    await member.tick();
    member.forgetChanges();
    await keys.restore();
    this.#hasLostData = false;
  }

  async #returned(): Promise<void> {
    const { connection, onWarning } = this.#parts;
    if (this.#hasLostData) await this.#recover();
    while (this.#hasWork && await this.#exchange()) { /* The rest. */ }
    await this.#tick();
    if (!connection.isUp || !this.#isRecovering) return;
    this.#isRecovering = false;
    onWarning(
      `Redis at ${connection.address.shown} can be used again; limits and budgets are shared`,
    );
  }

  #lost(error: RedisUnavailableError): void {
    const { member: { size }, onStoreLoss: { rates, budget }, maxStoreLoss, onWarning } =
      this.#parts;
    this.#own.fileAll();
    if (this.#isRecovering) return;
    this.#isRecovering = true;
    const limits = {
      divide: size > 1 ? `this gateway keeps to 1/${size} of each rate limit` : "rate limits stay",
      full: "this gateway uses each rate limit in full",
      stop: "requests under a rate limit are refused",
    };
    const money = budget === "stop"
      ? `after ${maxStoreLoss} seconds requests under a budget are refused`
      : "this gateway counts budgets by itself";
    onWarning(`${error.message}. Until it can be used again, ${limits[rates]}, and ${money}`);
  }

  #failed(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const { problem } = ledgerFailure(error);
    this.#parts.onWarning(
      `the shared ledger at ${this.#parts.connection.address.shown} ${problem}; retrying`,
    );
  }
}

/** The entries of a hash, as a list of names and values or as an object. */
export function entriesOf(hash: string[] | Record<string, string>): [string, string][] {
  if (!Array.isArray(hash)) return Object.entries(hash);
  return Array.from({ length: hash.length / 2 }, (_, i) => [hash[2 * i], hash[2 * i + 1]]);
}

function unavailable(reason: string): GatewayError {
  return new GatewayError(
    503,
    `the gateway cannot check budgets: Redis, through which gateways share them, is down (${reason}).`,
    {
      reason: "store_unavailable",
      retryAfter: RETRY_AFTER,
      hint: "Try again later. The operator can choose what happens then with --on-store-loss.",
    },
  );
}
