/**
 * Defines the interface of a spending limit: money is reserved before a request and committed after it.
 *
 * @module
 */
import type { Usage } from "../usage.ts";

/** What one request used. */
export interface Charge {
  /** The model as the server names it. */
  model: string;
  /** The base URL of the server. */
  endpoint: string;
  /** Token counts; `null` if the server did not report them, so that the estimate counts. */
  usage: Usage | null;
  /** Cost in USD; `null` if unknown, so that the reserved amount counts. */
  cost: number | null;
  /** Whether the request failed, but the server may bill it. Default `false`. */
  isLost?: boolean;
}

/** What is reserved for one request. */
export interface Reservation extends Disposable {
  /** The request's maximum cost in USD. */
  readonly cost: number;
  /** Records what the request used; at most once, before {@link Reservation.release}. */
  commit(charge: Charge): void;
  /** Frees the reserved amounts. Only the first call has an effect. */
  release(): void;
}

/** A request that needs money. */
export interface BudgetWaiter {
  /** Its maximum cost in USD. */
  readonly cost: number;
  /** Called when the request may fit now, or never will: reserve again. */
  wake(): void;
}

/** A limit on spending, shared by any number of clients. */
export interface Budget {
  /**
   * Reserves the cost of `waiter`, or returns `undefined` and wakes it when its turn comes.
   *
   * @throws {FlexLLMError} if the cost can never fit
   */
  tryReserve(waiter: BudgetWaiter): Reservation | undefined;
  /** Stops waiting. */
  cancel(waiter: BudgetWaiter): void;
}
