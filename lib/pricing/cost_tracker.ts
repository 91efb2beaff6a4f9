/**
 * What a program has spent, and a limit to it.
 *
 * @module
 */
import type { ChatResult } from "../chat/result.ts";
import {
  abortedBy,
  BudgetExceededError,
  ConfigurationError,
  type FlexLLMError,
} from "../errors.ts";
import type { Budget, BudgetWaiter, Reservation } from "../scheduling/budget.ts";

/** The options of a {@link CostTracker}. Amounts are in USD. */
export interface CostTrackerOptions {
  /** The most to spend; no limit when left out. */
  limit?: number;
  /** The amount at which `onWarning` is called. */
  warning?: number;
  /** Called once, when `warning` is reached. */
  onWarning?: (spent: number) => void;
  /** Whether models without a known price may be asked under a limit; default `false`. */
  allowUnpriced?: boolean;
}

/** What was spent on one model at one endpoint. */
export interface CostRow {
  /** The model as the server names it. */
  model: string;
  /** The base URL. */
  endpoint: string;
  /** Answers. */
  requests: number;
  /** Tokens read. */
  promptTokens: number;
  /** Tokens written. */
  completionTokens: number;
  /** USD, of the answers whose price is known; `null` when none is. */
  cost: number | null;
  /** Answers whose price is not known. */
  unpriced: number;
}

/**
 * Stores what may have been spent outside the process, so that the limit holds across kills and
 * restarts.
 */
export interface SpendingLedger {
  /**
   * Called before a request is sent. `total` is the USD spent if everything in flight costs as much as is
   * reserved for it. When this returns, the amount must survive the end of the process.
   */
  authorize(total: number): void;
}

/** The reservation of a free request. */
const FREE: Reservation = { cost: 0, release: () => {} };

/** Sums of binary fractions miss by a little; a billionth of the limit is not worth a refusal. */
const TOLERANCE = 1e-9;

/**
 * Counts what answers cost and keeps to a limit: before a request, the most that it can cost is set
 * aside; when that does not fit, the request waits for others to turn out cheaper, and is refused when
 * none is left to wait for. So what is spent never passes the limit by more than the requests in
 * flight were estimated too low.
 *
 * One tracker may be given to several clients and pools.
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
  /** The most to spend, in USD; `undefined` when there is no limit. */
  readonly limit: number | undefined;
  /** Whether models without a known price may be asked under a limit. */
  readonly allowUnpriced: boolean;
  readonly #options: CostTrackerOptions;
  readonly #rows = new Map<string, CostRow>();
  #lastRow: CostRow | undefined;
  /** In arrival order. */
  readonly #waiting = new Set<BudgetWaiter>();
  #ledger: SpendingLedger | undefined;
  #spent = 0;
  #reserved = 0;
  /** How many have set more than nothing aside. */
  #reservations = 0;
  #warned = false;

  /**
   * Makes a tracker that has counted nothing yet.
   *
   * @throws {ConfigurationError} when an amount is not a number of at least 0
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
  }

  /** USD spent, as far as it is known; see {@link record} for what is not. */
  get spent(): number {
    return this.#spent;
  }

  /** USD set aside for the requests in flight. */
  get reserved(): number {
    return this.#reserved;
  }

  /** USD left to spend or set aside; `Infinity` without a limit. */
  get remaining(): number {
    if (this.limit === undefined) return Infinity;
    return Math.max(0, this.limit - this.#spent - this.#reserved);
  }

  /**
   * Sets `cost` aside: at once, or when enough of what others have set aside is free again. What it
   * gives must be called once, when the request has ended and its cost, if any, was recorded. What is
   * free never waits, and is never refused.
   *
   * @throws {BudgetExceededError} when it does not fit and nothing else is set aside
   * @throws {AbortedError} when `signal` fires first
   * @throws {ConfigurationError} when `cost` is not a number of at least 0
   */
  reserve(cost: number, signal?: AbortSignal): (() => void) | Promise<() => void> {
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const leave = () => signal?.removeEventListener("abort", onAbort);
    const onAbort = () => {
      this.leave(waiter);
      reject(abortedBy(signal));
    };
    const waiter: BudgetWaiter = {
      cost,
      wake: () => {
        try {
          const claimed = this.claim(waiter);
          if (claimed === undefined) return;
          if ("release" in claimed) resolve(claimed.release);
          else reject(claimed);
        } catch (error) {
          reject(error);
        }
        leave();
      },
    };
    const claimed = this.claim(waiter);
    if (claimed === undefined) {
      if (signal?.aborted) onAbort();
      else signal?.addEventListener("abort", onAbort);
      return promise;
    }
    return "release" in claimed ? claimed.release : Promise.reject(claimed);
  }

  /**
   * Reserves the cost of `waiter` if it fits and nobody waits before it. Otherwise returns an error if no
   * reservation is left that could be released, or `undefined`: `waiter` is then woken when its turn
   * comes. Free requests never wait and are never refused.
   *
   * @throws {ConfigurationError} when the cost is not a number of at least 0
   */
  claim(waiter: BudgetWaiter): Reservation | FlexLLMError | undefined {
    const { cost } = waiter;
    if (!(cost >= 0 && cost < Infinity)) {
      throw new ConfigurationError(`cost: expected USD, 0 or more, got ${cost}`);
    }
    if (cost === 0) return FREE;
    const [first = waiter] = this.#waiting;
    if (this.#fits(cost) && (first === waiter || this.#reservations === 0)) {
      this.#waiting.delete(waiter);
      return this.#take(cost);
    }
    if (this.#reservations > 0) {
      this.#waiting.add(waiter);
      return undefined;
    }
    this.#waiting.delete(waiter);
    return new BudgetExceededError(this.limit!, this.#spent, cost);
  }

  /** Removes `waiter` from the queue. */
  leave(waiter: BudgetWaiter): void {
    if (this.#waiting.delete(waiter)) this.#wake();
  }

  /** From now on, authorizes all spending with `ledger` beforehand. */
  persist(ledger: SpendingLedger): void {
    this.#ledger = ledger;
  }

  #fits(cost: number): boolean {
    if (this.limit === undefined) return true;
    return this.#spent + this.#reserved + cost <= this.limit * (1 + TOLERANCE);
  }

  #take(cost: number): Reservation {
    this.#ledger?.authorize(this.#spent + this.#reserved + cost);
    this.#reserved += cost;
    this.#reservations++;
    let taken = true;
    const release = () => {
      if (!taken) return;
      taken = false;
      // Sums of fractions do not cancel out exactly.
      this.#reserved = --this.#reservations === 0 ? 0 : this.#reserved - cost;
      this.#wake();
    };
    return { cost, release };
  }

  /** Wakes the waiters that fit now, in order, or all if none can ever fit. */
  #wake(): void {
    for (const waiter of [...this.#waiting]) {
      // Waking one may have let later ones start.
      if (!this.#waiting.has(waiter)) continue;
      if (!this.#fits(waiter.cost) && this.#reservations > 0) return;
      waiter.wake();
      // A waiter that cannot start for another reason must not block the others.
      this.#waiting.delete(waiter);
    }
  }

  /** Adds USD that were spent elsewhere or before, so that the limit holds for all of it. */
  addSpent(cost: number): void {
    // A server may report any number as its cost; none gives money back.
    if (cost > 0 && cost < Infinity) this.#spent += cost;
    const { warning, onWarning } = this.#options;
    if (!this.#warned && warning !== undefined && this.#spent >= warning) {
      this.#warned = true;
      onWarning?.(this.#spent);
    }
  }

  /**
   * Counts an answer in.
   *
   * @param atMost USD that were set aside for it: an answer whose cost is not known may have cost as
   *   much, and counts so in `spent`; default 0
   */
  record({ model, endpoint, usage, cost }: ChatResult, atMost = 0): void {
    const last = this.#lastRow;
    const row = last?.model === model && last.endpoint === endpoint
      ? last
      : this.#lastRow = this.#row(model, endpoint);
    row.requests++;
    row.promptTokens += usage?.promptTokens ?? 0;
    row.completionTokens += usage?.completionTokens ?? 0;
    if (cost === null) row.unpriced++;
    else row.cost = (row.cost ?? 0) + cost;
    this.addSpent(cost ?? atMost);
  }

  /** Adds the possible cost of a request whose answer was lost. */
  recordLost({ model, endpoint }: Pick<ChatResult, "model" | "endpoint">, cost: number): void {
    const row = this.#row(model, endpoint);
    row.cost = (row.cost ?? 0) + cost;
    this.addSpent(cost);
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

  /** What was spent by model and endpoint, in the order of their first answers. */
  report(): CostRow[] {
    return [...this.#rows.values()].map((row) => ({ ...row }));
  }
}
