/**
 * Holds this process's part of a budget that several processes share through Redis.
 *
 * Money is taken ahead in blocks, so that a request can be paid without a round trip. The server counts a block
 * as spent until this process reports what became of it; so the budget holds even if processes are killed.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import type { RedisConnection } from "../../redis/redis_connection.ts";
import { RedisUnavailableError } from "../../redis/redis_error.ts";
import type { BudgetOnStoreLoss } from "../../redis/redis_settings.ts";
import { BUDGET_SCRIPT } from "./budget_script.ts";
import { ExchangeLoop } from "./exchange_loop.ts";
import type { Affordability, SharedMoney } from "./shared_money.ts";

/** The options of a {@link SharedBudget}. Amounts are in USD. */
export interface SharedBudgetOptions {
  /** The name by which processes find the budget. */
  name: string;
  /** Maximum to spend, over all processes; `undefined` for no limit. */
  limit: number | undefined;
  /**
   * USD that were spent before, for instance as recorded in a result file. They count unless the server has
   * counted at least as much.
   *
   * @default 0
   */
  minimum?: number;
  /** What happens while Redis cannot be used. */
  onStoreLoss: BudgetOnStoreLoss;
  /**
   * Whether to join later if the server cannot be used now. Until then, nothing is granted.
   *
   * @default false
   */
  mayStartDown?: boolean;
  /** Called when the server refuses a report. */
  onError?: (error: unknown) => void;
}

/** Milliseconds between two reports while nothing changes. */
const INTERVAL = 1000;
/** Minimum milliseconds between two reports. */
const GAP = 20;
/** Milliseconds until a request is repeated that other processes may make room for. */
const RETRY = 250;
/** The share of the limit that is taken ahead. */
const BLOCK = 1 / 100;
/** Milliseconds without Redis after which no request that costs money is sent. */
const STOP_AFTER = 10_000;
/** Allowance for the rounding of floating-point sums, as a share of the limit. */
const TOLERANCE = 1e-9;

/** This process's part of a shared budget. Amounts are in USD. */
export class SharedBudget implements SharedMoney, AsyncDisposable {
  readonly #connection: RedisConnection;
  readonly #options: SharedBudgetOptions;
  readonly #id = randomUUID();
  readonly #loop: ExchangeLoop;
  readonly #unwatch: () => void;
  onChange: () => void = () => {};
  /** The number of the last report, and of the last one that the server has taken. */
  #number = 0;
  #takenNumber = -1;
  #spent = 0;
  #reserved = 0;
  #reservations = 0;
  /** Granted, and not reserved. */
  #free = 0;
  /** What the first waiting request needs; 0 if none waits. */
  #need = 0;
  /** Whether the server has refused an amount that no other process can make room for, and which. */
  #isRefused = false;
  #refused = 0;
  /** When what the server has refused may be requested again. */
  #retryAt = -Infinity;
  #isShort = false;
  /** The state of the server at the last report. */
  #data = "";
  #acknowledged = 0;
  #total = 0;
  #isChanged = false;
  #isClosed = false;

  private constructor(connection: RedisConnection, options: SharedBudgetOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#total = options.minimum ?? 0;
    this.#loop = new ExchangeLoop(connection, () => this.#report(), {
      interval: INTERVAL,
      gap: GAP,
      onError: options.onError,
    });
    this.#unwatch = connection.watch({
      // Requests that wait for money may be paid by this process alone now.
      onDown: () => this.onChange(),
      // It no longer holds anything for this process, until this process reports.
      onReset: () => this.#loop.request(),
    });
  }

  /**
   * Joins a budget.
   *
   * @throws {RedisUnavailableError} if the server cannot be used, unless `mayStartDown`
   */
  static async open(
    connection: RedisConnection,
    options: SharedBudgetOptions,
  ): Promise<SharedBudget> {
    const budget = new SharedBudget(connection, options);
    try {
      await budget.#report();
    } catch (error) {
      if (options.mayStartDown && error instanceof RedisUnavailableError) return budget;
      await budget.#loop.close();
      budget.#unwatch();
      throw error;
    }
    return budget;
  }

  /** USD that all processes have spent or hold, at the last report. */
  get total(): number {
    return this.#total;
  }

  /** USD that this process has spent. */
  get spent(): number {
    return this.#spent;
  }

  afford(cost: number): Affordability {
    const { limit, onStoreLoss } = this.#options;
    if (limit === undefined) return "now";
    const { isUp, downFor } = this.#connection;
    if (!isUp && onStoreLoss === "continue") {
      const counted = this.#total - this.#acknowledged + this.#spent + this.#reserved;
      if (counted + cost <= limit * (1 + TOLERANCE)) return "now";
      return this.#reservations > 0 ? "later" : "never";
    }
    // What was granted can be spent without Redis, for a while: the server has counted it.
    const isUsable = isUp || downFor < STOP_AFTER;
    if (isUsable && this.#free + TOLERANCE * limit >= cost) return "now";
    if (this.#isRefused && cost >= this.#refused && performance.now() < this.#retryAt) {
      if (this.#reservations === 0) return "never";
      // The end of one of them asks the server again.
      this.#need = cost;
      return "later";
    }
    this.#need = cost;
    this.#loop.request(this.#retryAt - performance.now());
    return "later";
  }

  reserve(cost: number): void {
    this.#reserved += cost;
    this.#reservations++;
    this.#free = Math.max(0, this.#free - cost);
    this.#isChanged = true;
    if (this.#free < this.#block / 2 && !this.#isShort) this.#loop.request(GAP);
  }

  release(cost: number): void {
    // Sums of fractions do not cancel out exactly.
    this.#reserved = --this.#reservations === 0 ? 0 : Math.max(0, this.#reserved - cost);
    this.#free += cost;
    this.#isChanged = true;
    this.#isRefused = false;
    if (this.#need > 0 || this.#isShort) this.#loop.request(GAP);
  }

  spend(cost: number): void {
    this.#spent += cost;
    // What was reserved for it is released next, so this much of it does not become free.
    this.#free -= cost;
    this.#isChanged = true;
  }

  /** Waits until everything that has happened so far is reported. Does not wait for a server that is down. */
  async flush(): Promise<void> {
    if (this.#connection.isUp) await this.#loop.flush();
  }

  /** Leaves the budget: returns what is not spent. What is still reserved keeps counting. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#need = 0;
    if (this.#connection.isUp) await this.#loop.flush();
    this.#unwatch();
    await this.#loop.close();
  }

  /** Leaves the budget at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #block(): number {
    return (this.#options.limit ?? 0) * BLOCK;
  }

  async #report(): Promise<void> {
    const { limit = Infinity, name, minimum = 0 } = this.#options;
    const block = this.#block;
    // An idle process, and one whose money others need, returns what it has taken ahead.
    const isIdle = this.#need === 0 && !this.#isChanged;
    const most = this.#isClosed || this.#isShort || isIdle ? 0 : block;
    // While money is short, no process holds a part of what it needs: two such parts would wait for each other.
    const free = this.#free = Math.min(
      Math.max(0, this.#free),
      this.#isShort && this.#free < this.#need ? 0 : Math.max(2 * most, this.#need),
    );
    this.#isChanged = false;
    const amount = this.#spent + this.#reserved + free;
    const needed = this.#need;
    const missing = this.#isClosed ? 0 : Math.max(0, needed - free);
    const ahead = limit === Infinity ? 0 : Math.max(0, most - free);
    const number = ++this.#number;
    const reply = await this.#connection.run(BUDGET_SCRIPT, [
      this.#connection.key("budget", name),
    ], [
      this.#id,
      number,
      limit === Infinity ? 1e300 : limit,
      amount,
      amount - this.#spent,
      missing,
      ahead,
      this.#data,
      this.#acknowledged,
      this.#total,
      this.#data === "" ? minimum : 0,
      randomUUID(),
      this.#takenNumber,
      this.#connection.runId,
    ]) as [number, string, string, string, number, string];
    const [isTaken, granted, total, others, isShort, data] = reply;
    if (isTaken === 0) return this.#loop.request();
    this.#data = data;
    this.#takenNumber = number;
    this.#acknowledged = amount + Number(granted);
    this.#total = Number(total);
    this.#isShort = isShort === 1;
    this.#free += Number(granted);
    if (this.#need === 0) return;
    this.#isRefused = false;
    if (missing > 0 && Number(granted) === 0) {
      this.#isRefused = Number(others) <= TOLERANCE * limit;
      this.#refused = needed;
      this.#retryAt = performance.now() + RETRY;
    }
    // Requests that still wait report their need again.
    this.#need = 0;
    this.onChange();
  }
}
