/**
 * What a program has spent, and a limit to it.
 *
 * @module
 */
import type { ChatResult } from "../chat/result.ts";
import { AbortedError, BudgetExceededError, ConfigurationError } from "../errors.ts";

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

interface Waiter {
  cost: number;
  grant(): void;
  refuse(error: unknown): void;
}

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
export class CostTracker {
  /** The most to spend, in USD; `undefined` when there is no limit. */
  readonly limit: number | undefined;
  /** Whether models without a known price may be asked under a limit. */
  readonly allowUnpriced: boolean;
  readonly #options: CostTrackerOptions;
  readonly #rows = new Map<string, CostRow>();
  readonly #waiting = new Set<Waiter>();
  #spent = 0;
  #reserved = 0;
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

  /** USD spent, of the answers whose price is known. */
  get spent(): number {
    return this.#spent;
  }

  /** USD set aside for the requests in flight. */
  get reserved(): number {
    return this.#reserved;
  }

  /** USD left to spend or set aside; `Infinity` without a limit. */
  get remaining(): number {
    return this.limit === undefined ? Infinity : this.limit - this.#spent - this.#reserved;
  }

  /**
   * Sets `cost` aside: at once, or when enough of what others have set aside is free again. What it
   * gives must be called once, when the request has ended and its cost, if any, was recorded.
   *
   * @throws {BudgetExceededError} when it does not fit and nothing else is set aside
   * @throws {AbortedError} when `signal` fires first
   */
  reserve(cost: number, signal?: AbortSignal): (() => void) | Promise<() => void> {
    if (this.#waiting.size === 0 && cost <= this.remaining) return this.#take(cost);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new AbortedError());
      const leave = () => {
        this.#waiting.delete(waiter);
        signal?.removeEventListener("abort", onAbort);
      };
      const onAbort = () => {
        leave();
        reject(new AbortedError());
        this.#settle();
      };
      const waiter: Waiter = {
        cost,
        grant: () => {
          leave();
          resolve(this.#take(cost));
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      this.#waiting.add(waiter);
      signal?.addEventListener("abort", onAbort);
      this.#settle();
    });
  }

  #take(cost: number): () => void {
    this.#reserved += cost;
    this.#reservations++;
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      // Sums of fractions do not cancel out exactly.
      this.#reserved = --this.#reservations === 0 ? 0 : this.#reserved - cost;
      this.#settle();
    };
  }

  /** Lets those go that fit now, in their order; refuses all when none can ever fit. */
  #settle(): void {
    for (const waiter of this.#waiting) {
      if (waiter.cost <= this.remaining) waiter.grant();
      else if (this.#reservations > 0) return;
      else waiter.refuse(new BudgetExceededError(this.limit!, this.#spent, waiter.cost));
    }
  }

  /** Counts USD in that were spent before, so that the limit holds for both together. */
  addSpent(cost: number): void {
    this.#spent += cost;
  }

  /** Counts an answer in. */
  record(result: ChatResult): void {
    const { model, endpoint, cost, usage } = result;
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
    row.requests++;
    row.promptTokens += usage?.promptTokens ?? 0;
    row.completionTokens += usage?.completionTokens ?? 0;
    if (cost === null) {
      row.unpriced++;
      return;
    }
    row.cost = (row.cost ?? 0) + cost;
    this.#spent += cost;
    const { warning, onWarning } = this.#options;
    if (!this.#warned && warning !== undefined && this.#spent >= warning) {
      this.#warned = true;
      onWarning?.(this.#spent);
    }
  }

  /** What was spent by model and endpoint, in the order of their first answers. */
  report(): CostRow[] {
    return [...this.#rows.values()].map((row) => ({ ...row }));
  }
}
