/**
 * Collects writes and stores them together: those of one turn of the event loop in one transaction, and under load
 * those of a millisecond.
 *
 * @module
 */
import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import type { LedgerReservation, SpendRow } from "./ledger.ts";
import { isBusy } from "./ledger_error.ts";
import { SpendRows } from "./spend_rows.ts";

/** How long a settlement waits for a reservation that takes it along, in milliseconds. */
const SETTLE_DELAY = 25;

/** From this many open reservations on, transactions are at least this many milliseconds apart. */
const BUSY_RESERVATIONS = 8;
const BUSY_INTERVAL = 2;

/** The interval of retries after a failure, in milliseconds. */
const RETRY_DELAY = 20;
const MAX_RETRY_DELAY = 5000;

/** How long reservations wait while another process has locked the database, in milliseconds. */
const LOCK_TIMEOUT = 5000;

/** What one transaction stores. */
export interface WriteGroup {
  /** New reservations. */
  readonly reservations: readonly LedgerReservation[];
  /** What remains of stored reservations, by id; nothing if it is 0. */
  readonly remaining: ReadonlyMap<number, number>;
  readonly spend: readonly SpendRow[];
}

interface WaitingReservation {
  reservation: LedgerReservation;
  since: number;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Options of a {@link GroupCommit}. */
export interface GroupCommitOptions {
  /** Stores a group, completely or not at all. */
  write: (group: WriteGroup) => void;
  /** Called when settlements cannot be stored, once until it works again. */
  onFailure: (error: unknown) => void;
}

/** The writes that are not stored yet. */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #waiting: WaitingReservation[] = [];
  #remaining = new Map<number, number>();
  readonly #spend = new SpendRows();
  /** The ids of reservations that are not settled. */
  readonly #open = new Set<number>();
  #isSoon = false;
  #flushedAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retryDelay = RETRY_DELAY;
  #hasFailed = false;

  /** Creates a group that is empty. */
  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Stores a reservation, that of a lonely call at the end of this turn. Rejects if that fails. */
  reserve(reservation: LedgerReservation): Promise<void> {
    return new Promise((resolve, reject) => {
      const since = performance.now();
      this.#waiting.push({ reservation, since, resolve, reject });
      this.#open.add(reservation.id);
      this.#flushSoon(since);
    });
  }

  /** Stores what was spent, and what remains of a reservation, together with the next reservation. */
  settle(row: SpendRow | undefined, reservation: LedgerReservation | undefined): void {
    if (row !== undefined) this.#spend.add(row);
    if (reservation !== undefined) {
      this.#remaining.set(reservation.id, reservation.amount);
      if (reservation.amount === 0) this.#open.delete(reservation.id);
    }
    this.#flushWithin(SETTLE_DELAY);
  }

  /** Whether everything is stored. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#remaining.size === 0 && this.#spend.size === 0;
  }

  /** Stores everything now. What fails is retried, except for reservations. */
  flush(): void {
    this.#stopTimer();
    if (this.isEmpty) return;
    const waiting = this.#waiting;
    const remaining = this.#remaining;
    const spend = this.#spend.take();
    this.#waiting = [];
    this.#remaining = new Map();
    try {
      this.#options.write({
        reservations: waiting.map(({ reservation }) => reservation),
        remaining,
        spend,
      });
    } catch (error) {
      this.#remaining = remaining;
      for (const row of spend) this.#spend.add(row);
      this.#fail(error, waiting);
      return;
    }
    this.#retryDelay = RETRY_DELAY;
    this.#hasFailed = false;
    this.#flushedAt = performance.now();
    for (const { resolve } of waiting) resolve();
  }

  /** Gives up: what is not stored yet never will be. */
  stop(): void {
    this.#stopTimer();
    this.#spend.take();
    this.#remaining.clear();
  }

  #fail(error: unknown, waiting: WaitingReservation[]): void {
    if (isBusy(error)) {
      const since = performance.now() - LOCK_TIMEOUT;
      this.#waiting = waiting.filter((entry) => entry.since > since);
      for (const entry of waiting) if (entry.since <= since) this.#reject(entry, error);
      if (this.#waiting.length > 0 || waiting.length === 0) {
        this.#flushWithin(RETRY_DELAY);
        return;
      }
    } else {
      for (const entry of waiting) this.#reject(entry, error);
    }
    if (this.#remaining.size === 0 && this.#spend.size === 0) return;
    if (!this.#hasFailed) this.#options.onFailure(error);
    this.#hasFailed = true;
    this.#flushWithin(this.#retryDelay);
    this.#retryDelay = Math.min(this.#retryDelay * 2, MAX_RETRY_DELAY);
  }

  #reject({ reservation, reject }: WaitingReservation, error: unknown): void {
    this.#open.delete(reservation.id);
    reject(error);
  }

  #flushSoon(now: number): void {
    if (this.#isSoon) return;
    this.#isSoon = true;
    const flush = () => {
      this.#isSoon = false;
      this.flush();
    };
    // A transaction costs as much as ten calls in it. Calls that come alone are never delayed.
    const isBusy = this.#open.size >= BUSY_RESERVATIONS && now - this.#flushedAt < BUSY_INTERVAL;
    if (isBusy) setTimeout(flush, BUSY_INTERVAL);
    else setImmediate(flush);
  }

  #flushWithin(delay: number): void {
    if (this.#isSoon || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.flush(), delay);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
