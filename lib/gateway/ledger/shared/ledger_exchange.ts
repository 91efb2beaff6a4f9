/**
 * Exchanges what one gateway reserves and spends for the sums of all gateways.
 *
 * @module
 */
import { setImmediate, setTimeout } from "node:timers";
import type { RedisConnection } from "../../../redis/redis_connection.ts";
import { RedisUnavailableError } from "../../../redis/redis_error.ts";
import { ledgerFailure } from "../ledger_error.ts";
import type { LedgerReservation, ReserveOutcome } from "../ledger.ts";
import { type BudgetPeriod, DAY, dayOf } from "../periods.ts";
import type { FleetMember } from "./fleet_member.ts";
import { EXCHANGE } from "./ledger_scripts.ts";
import { budgetUnavailable, type OutageReserve } from "./outage_reserve.ts";
import type { OwnReservations } from "./own_reservations.ts";
import { fieldOf, type OwnSpend } from "./own_spend.ts";
import type { SharedBalances } from "./shared_balances.ts";

/** Milliseconds for which what was spent waits for a reservation that takes it along. */
export const SETTLE_DELAY = 10;
/** Maximum reservations, and maximum rows, of one exchange. */
const BATCH = 200;
/** Milliseconds until an exchange is repeated that the server has refused, or that has to wait. */
const RETRY_DELAY = 100;

interface WaitingReservation {
  reservation: LedgerReservation;
  resolve: (outcome: ReserveOutcome) => void;
  reject: (error: unknown) => void;
}

/** The sums of a scope: its name, and names and values. */
type ScopeSums = [scope: string, sums: string[]];

/** What is exchanged, and with whom. */
export interface ExchangeParts {
  connection: RedisConnection;
  member: FleetMember;
  own: OwnSpend;
  balances: SharedBalances;
  reservations: OwnReservations;
  outage: OutageReserve;
  onWarning: (message: string) => void;
}

function encodedReservation({ id, request, amount }: LedgerReservation, budgets?: unknown) {
  const { key, team, day, route } = request;
  const field = fieldOf({ day, key, team, model: route, endpoint: "" });
  return { id: String(id), key, team, day, field, amount, budgets };
}

/** The exchanges of a gateway with the server: one after the other, so that replies arrive in order. */
export class LedgerExchange {
  readonly #parts: ExchangeParts;
  #waiting: WaitingReservation[] = [];
  #work: Promise<void> = Promise.resolve();
  /** Whether an exchange begins after this turn, or after a delay. */
  #isNext = false;
  #isSoon = false;
  #hasFailed = false;
  #isClosed = false;
  #lastDay = "";

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  /** Whether there is anything to exchange. */
  get hasWork(): boolean {
    const { reservations, own } = this.#parts;
    return this.#waiting.length > 0 || reservations.hasChanges || !own.isShared;
  }

  /** Reserves money with the next exchange. */
  reserve(reservation: LedgerReservation): Promise<ReserveOutcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ reservation, resolve, reject });
      this.soon();
    });
  }

  /** Sums of days long before the last one are deleted at the server. */
  noteDay(day: string): void {
    if (day > this.#lastDay) this.#lastDay = day;
  }

  /** Runs one piece of work after the other. */
  queue(work: () => Promise<unknown>): Promise<void> {
    return this.#work = this.#work.then(async () => {
      if (this.#isClosed) return;
      try {
        await work();
      } catch (error) {
        if (!(error instanceof RedisUnavailableError)) this.#failed(error);
      }
    });
  }

  /** Exchanges in `delay` milliseconds; without a delay, with all reservations that are made in this turn. */
  soon(delay = 0): void {
    if (this.#isNext || (delay > 0 && this.#isSoon)) return;
    const run = () => {
      this.#isNext = this.#isSoon = false;
      void this.queue(() => this.run());
    };
    if (delay > 0) {
      this.#isSoon = true;
      setTimeout(run, delay);
    } else {
      this.#isNext = true;
      setImmediate(run);
    }
  }

  /** Queues no further work. */
  close(): void {
    this.#isClosed = true;
  }

  /**
   * Exchanges what is pending for the sums of all; to be called from {@link LedgerExchange.queue}. Returns whether
   * that has worked.
   *
   * @param isReport whether reservations that wait are left out
   */
  async run(isReport = false): Promise<boolean> {
    if (!this.hasWork) return true;
    const { connection, member, own, balances, reservations } = this.#parts;
    const waiting = this.#waiting.splice(0, BATCH);
    if (!connection.isUp) {
      for (const entry of waiting) this.#reserveAlone(entry, false);
      own.fileAll();
      return false;
    }
    const changes = reservations.take();
    const rows = own.take(BATCH);
    for (const { reservation } of waiting) this.noteDay(reservation.request.day);
    balances.send();
    const order = {
      instance: member.instance,
      run: connection.runId,
      source: member.source,
      keptFrom: this.#lastDay === "" ? "" : dayOf(Date.parse(this.#lastDay) - 3 * DAY),
      settled: Array.from(changes.settled, ([id, remaining]) => [String(id), remaining]),
      restored: changes.restored.map((reservation) => encodedReservation(reservation)),
      rows,
      reserved: isReport
        ? []
        : waiting.map(({ reservation }) =>
          encodedReservation(reservation, reservation.request.budgets)
        ),
    };
    const putBack = () => {
      balances.takeBack();
      own.putBack(rows);
      reservations.putBack(changes);
    };
    let reply: [results: string[][], balances: ScopeSums[]] | [];
    try {
      const keys = [connection.key("gateway")];
      reply = await connection.run(EXCHANGE, keys, [JSON.stringify(order)]) as typeof reply;
    } catch (error) {
      putBack();
      if (!(error instanceof RedisUnavailableError)) {
        const refusal = budgetUnavailable(`it refuses a script: ${error}`);
        for (const { reject } of waiting) reject(refusal);
        this.#failed(error);
        setTimeout(() => this.soon(), RETRY_DELAY);
        return false;
      }
      // They may have been made all the same.
      for (const entry of waiting) this.#reserveAlone(entry, true);
      return false;
    }
    if (reply.length === 0) {
      putBack();
      this.#waiting.unshift(...waiting);
      setTimeout(() => this.soon(), RETRY_DELAY);
      return false;
    }
    this.#hasFailed = false;
    balances.confirm();
    own.confirm(rows);
    for (const [scope, sums] of reply[1]) balances.load(scope, sums);
    if (isReport) this.#waiting.unshift(...waiting);
    else waiting.forEach((entry, i) => this.#answer(entry, reply[0][i]));
    if (this.#waiting.length > 0 || !own.isShared) {
      setImmediate(() => void this.queue(() => this.run()));
    }
    return true;
  }

  #answer(entry: WaitingReservation, result: string[]): void {
    const { reservation, resolve } = entry;
    if (result.length === 0) {
      this.#parts.reservations.add(reservation);
      resolve({ reservation });
      return;
    }
    if (result[0] === "wait") {
      setTimeout(() => {
        this.#waiting.push(entry);
        void this.queue(() => this.run());
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

  #reserveAlone({ reservation, resolve, reject }: WaitingReservation, mayExist: boolean): void {
    try {
      resolve(this.#parts.outage.reserve(reservation, mayExist));
    } catch (error) {
      reject(error);
    }
  }

  #failed(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const { problem } = ledgerFailure(error);
    const { connection, onWarning } = this.#parts;
    onWarning(`the shared ledger at ${connection.address.shown} ${problem}; retrying`);
  }
}
