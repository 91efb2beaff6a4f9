/**
 * Counts what completions cost, and enforces a budget.
 *
 * @module
 */
import { BudgetExceededError, ConfigurationError } from "../errors.ts";
import { abortable } from "../runtime/abortable.ts";
import { PartReservation } from "./part_reservation.ts";
import type { Budget, BudgetWaiter, Charge, Reservation } from "../scheduling/budget.ts";
import type { Affordability, SharedMoney } from "../scheduling/shared/shared_money.ts";

/** The options of a {@link CostTracker}. Amounts are in USD. */
export interface CostTrackerOptions {
  /**
   * Maximum to spend.
   *
   * @default no limit
   */
  limit?: number;
  /**
   * The amount at which `onWarning` is called.
   *
   * @default never
   */
  warning?: number;
  /** Called once, when `warning` is reached. */
  onWarning?: (spent: number) => void;
  /**
   * Whether models without a known price can be used under a limit.
   *
   * @default false
   */
  allowUnpriced?: boolean;
}

/** Spending on one model at one endpoint. */
export interface CostRow {
  /** The model as the server names it. */
  model: string;
  /** The base URL. */
  endpoint: string;
  /** Answered requests. */
  requests: number;
  /** Input tokens. */
  promptTokens: number;
  /** Output tokens. */
  completionTokens: number;
  /** USD for the answers with a known price; `null` if there are none. */
  cost: number | null;
  /** Answers without a known price. */
  unpriced: number;
}

/**
 * Stores the maximum possible spending outside the process, so that the limit holds across kills and restarts.
 */
export interface SpendingLedger {
  /**
   * Called before a request is sent. `total` is the USD spent if every request in flight costs its reserved
   * amount. The amount must be stored durably when this returns.
   */
  authorize(total: number): void;
}

function checkCost(cost: number): void {
  if (cost >= 0 && cost < Infinity) return;
  throw new ConfigurationError(`cost: expected USD, 0 or more, got ${cost}`);
}

/** Allowance for the rounding of floating-point sums, as a share of the limit. */
const TOLERANCE = 1e-9;

/**
 * Counts what completions cost and enforces a limit.
 *
 * Each request reserves its maximum cost before it is sent. If that does not fit, the request waits until
 * others turn out cheaper, and fails if no other is in flight. Spending exceeds the limit only if requests in
 * flight were estimated too low.
 *
 * Several clients and pools can share one tracker.
 *
 * @example
 * ```ts
 * import { CostTracker, LLMClient } from "@flexllm/flexllm";
 *
 * const costTracker = new CostTracker({ limit: 5, warning: 4, onWarning: console.warn });
 * await using client = new LLMClient({ provider: "openai", model: "gpt-5.4-mini", costTracker });
 * ```
 */
export class CostTracker implements Budget {
  /** Maximum to spend, in USD; `undefined` for no limit. */
  readonly limit: number | undefined;
  /** Whether models without a known price can be used under a limit. */
  readonly allowUnpriced: boolean;
  readonly #options: CostTrackerOptions;
  readonly #rows = new Map<string, CostRow>();
  #lastRow: CostRow | undefined;
  /** Waiting requests, in order of arrival. */
  readonly #waiting = new Set<BudgetWaiter>();
  /** The reservation of every free request. */
  readonly #free: Reservation;
  #ledger: SpendingLedger | undefined;
  #shared: SharedMoney | undefined;
  #spent = 0;
  #reserved = 0;
  /** The number of open reservations above 0. */
  #reservations = 0;
  /** USD reserved for parts of provider batches, and the number of those parts. */
  #held = 0;
  #parts = 0;
  #warned = false;

  /**
   * Creates a tracker that has counted nothing yet.
   *
   * @throws {ConfigurationError} if an amount is negative or not a number
   */
  constructor(options: CostTrackerOptions = {}) {
    for (const name of ["limit", "warning"] as const) {
      const value = options[name];
      if (value !== undefined && !(value >= 0)) {
        throw new ConfigurationError(`${name}: expected USD, 0 or more, got ${value}`);
      }
    }
    this.limit = options.limit;
    this.allowUnpriced = options.allowUnpriced ?? false;
    this.#options = options;
    this.#free = {
      cost: 0,
      commit: (charge) => this.record(charge),
      release: () => {},
      [Symbol.dispose]: () => {},
    };
  }

  /** USD spent so far. Answers of unknown cost count as described at {@link CostTracker.record}. */
  get spent(): number {
    return this.#spent;
  }

  /** USD reserved for requests in flight, and for the parts of provider batches. */
  get reserved(): number {
    return this.#reserved + this.#held;
  }

  /** USD that can still be spent or reserved; `Infinity` without a limit. */
  get remaining(): number {
    if (this.limit === undefined) return Infinity;
    return Math.max(0, this.limit - this.#spent - this.reserved);
  }

  /**
   * Reserves `cost` USD: immediately if it fits, otherwise once other requests have released enough. Free
   * requests never wait and are never refused.
   *
   * @throws {BudgetExceededError} if it does not fit and nothing else is reserved
   * @throws {AbortedError} when `signal` fires first
   * @throws {ConfigurationError} if `cost` is negative or not finite
   */
  reserve(cost: number, signal?: AbortSignal): Promise<Reservation> {
    return this.#waitFor(cost, (cost) => this.#reserve(cost), signal);
  }

  /**
   * Reserves `cost` USD for rows of a provider batch. Waits and fails as {@link CostTracker.reserve} does.
   *
   * The ledger does not authorize this money: the batch's own log has it, from before it can be spent until it
   * is recorded.
   *
   * @throws {BudgetExceededError} if it does not fit and nothing else is reserved
   * @throws {AbortedError} when `signal` fires first
   * @throws {ConfigurationError} if `cost` is negative or not finite
   */
  reserveRows(cost: number, signal?: AbortSignal): Promise<Reservation> {
    return this.#waitFor(cost, (cost) => this.restore(cost), signal);
  }

  /**
   * Reserves `cost` USD for rows of a provider batch that were sent earlier, even beyond the limit.
   *
   * @throws {ConfigurationError} if `cost` is negative or not finite
   */
  restore(cost: number): Reservation {
    checkCost(cost);
    if (cost === 0) return this.#free;
    this.#parts++;
    return new PartReservation(cost, {
      hold: (amount) => {
        this.#held += amount;
        if (amount > 0) this.#shared?.reserve(amount);
        else this.#shared?.release(-amount);
      },
      record: (charge, reserved) => {
        this.record(charge, reserved);
        // What the ledger knows must still cover the live requests in flight.
        if (this.#reservations > 0) this.#ledger?.authorize(this.#spent + this.#reserved);
      },
      close: () => {
        // Sums of fractions do not cancel out exactly.
        if (--this.#parts === 0) this.#held = 0;
        this.#wake();
      },
    });
  }

  async #waitFor(
    cost: number,
    take: (cost: number) => Reservation,
    signal: AbortSignal | undefined,
  ): Promise<Reservation> {
    const { promise, resolve, reject } = Promise.withResolvers<Reservation>();
    let reservation: Reservation | undefined;
    const waiter: BudgetWaiter = {
      cost,
      wake: () => {
        try {
          reservation = this.#tryReserve(waiter, take);
          if (reservation !== undefined) resolve(reservation);
        } catch (error) {
          reject(error);
        }
      },
    };
    const granted = this.#tryReserve(waiter, take);
    if (granted !== undefined) return granted;
    try {
      return await abortable(promise, signal);
    } catch (error) {
      reservation?.release();
      this.cancel(waiter);
      throw error;
    }
  }

  /**
   * Reserves the cost of `waiter` if it fits and no other request is ahead of it. Otherwise returns `undefined`,
   * and wakes `waiter` when its turn comes. Free requests never wait and are never refused.
   *
   * @throws {BudgetExceededError} if it does not fit and nothing else is reserved
   * @throws {ConfigurationError} if the cost is negative or not finite
   */
  tryReserve(waiter: BudgetWaiter): Reservation | undefined {
    return this.#tryReserve(waiter, (cost) => this.#reserve(cost));
  }

  #tryReserve(
    waiter: BudgetWaiter,
    take: (cost: number) => Reservation,
  ): Reservation | undefined {
    const { cost } = waiter;
    checkCost(cost);
    if (cost === 0) return this.#free;
    const [first = waiter] = this.#waiting;
    const isNext = first === waiter || !this.#hasReservations;
    const affordable = isNext ? this.#afford(cost) : "later";
    if (affordable === "now") {
      this.#waiting.delete(waiter);
      return take(cost);
    }
    if (affordable === "later") {
      this.#waiting.add(waiter);
      return undefined;
    }
    this.#waiting.delete(waiter);
    const spent = Math.max(this.#spent, this.#shared?.total ?? 0);
    throw new BudgetExceededError(this.limit!, spent, cost);
  }

  /** Removes `waiter` from the queue. */
  cancel(waiter: BudgetWaiter): void {
    if (this.#waiting.delete(waiter)) this.#wake();
  }

  /** Authorizes all further spending with `ledger` before it happens. */
  persist(ledger: SpendingLedger): void {
    this.#ledger = ledger;
  }

  /**
   * Spends from a budget that other processes spend from as well. Money that is spent or reserved already counts
   * as well. Returns a function that ends this.
   */
  share(money: SharedMoney): () => void {
    this.#shared = money;
    money.onChange = () => this.#wake();
    return () => {
      if (this.#shared === money) this.#shared = undefined;
      money.onChange = () => {};
      this.#wake();
    };
  }

  get #hasReservations(): boolean {
    return this.#reservations + this.#parts > 0;
  }

  #afford(cost: number): Affordability {
    if (!this.#fits(cost)) return this.#hasReservations ? "later" : "never";
    return this.#shared?.afford(cost) ?? "now";
  }

  #fits(cost: number): boolean {
    if (this.limit === undefined) return true;
    return this.#spent + this.#reserved + this.#held + cost <= this.limit * (1 + TOLERANCE);
  }

  #reserve(cost: number): Reservation {
    this.#ledger?.authorize(this.#spent + this.#reserved + cost);
    this.#reserved += cost;
    this.#reservations++;
    const shared = this.#shared;
    shared?.reserve(cost);
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      // Sums of fractions do not cancel out exactly.
      this.#reserved = --this.#reservations === 0 ? 0 : this.#reserved - cost;
      shared?.release(cost);
      this.#wake();
    };
    const commit = (charge: Charge) => this.record(charge, cost);
    return { cost, commit, release, [Symbol.dispose]: release };
  }

  /** Wakes the waiters that fit now, in order, or all of them if none can ever fit. */
  #wake(): void {
    for (const waiter of [...this.#waiting]) {
      // Waking an earlier waiter may have started this one as well.
      if (!this.#waiting.has(waiter)) continue;
      if (this.#afford(waiter.cost) === "later") return;
      waiter.wake();
      // A waiter that cannot start for another reason must not block the others.
      this.#waiting.delete(waiter);
    }
  }

  /** Adds USD spent elsewhere or earlier, so that the limit covers them. */
  addSpent(cost: number): void {
    // Servers can report any number as their cost, but none of them refunds money.
    if (cost > 0 && cost < Infinity) {
      this.#spent += cost;
      this.#shared?.spend(cost);
    }
    const { warning, onWarning } = this.#options;
    if (!this.#warned && warning !== undefined && this.#spent >= warning) {
      this.#warned = true;
      onWarning?.(this.#spent);
    }
  }

  /**
   * Records the cost and the tokens of an answer, or the possible cost of a lost one.
   *
   * @param reserved USD that were reserved for it, which count if the cost is unknown; by default 0
   */
  record(charge: Charge, reserved = 0): void {
    const { model, endpoint, usage, cost, isLost } = charge;
    if (isLost && !cost) return;
    const last = this.#lastRow;
    const row = last?.model === model && last.endpoint === endpoint
      ? last
      : this.#lastRow = this.#row(model, endpoint);
    if (!isLost) {
      row.requests += charge.requests ?? 1;
      row.promptTokens += usage?.promptTokens ?? 0;
      row.completionTokens += usage?.completionTokens ?? 0;
    }
    if (cost === null) row.unpriced += charge.requests ?? 1;
    else row.cost = (row.cost ?? 0) + cost;
    this.addSpent(cost ?? reserved);
  }

  #row(model: string, endpoint: string): CostRow {
    const key = `${endpoint} ${model}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = {
        model,
        endpoint,
        requests: 0,
        promptTokens: 0,
        completionTokens: 0,
        cost: null,
        unpriced: 0,
      };
      this.#rows.set(key, row);
    }
    return row;
  }

  /** Spending by model and endpoint, in the order of their first answers. */
  report(): CostRow[] {
    return [...this.#rows.values()].map((row) => ({ ...row }));
  }
}
