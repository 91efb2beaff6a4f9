/**
 * Defines the interface of a spending limit: money is reserved before a request and committed after it.
 *
 * @module
 */
import type { Usage } from "../usage.ts";

/** The tokens and the money that one request used, or several together. */
export interface Charge {
  /** The model as the server names it. */
  model: string;
  /** The base URL of the server. */
  endpoint: string;
  /** Token counts; `null` if the server did not report them, in which case the estimate counts. */
  usage: Usage | null;
  /** Cost in USD; `null` if unknown, in which case the reserved amount counts. */
  cost: number | null;
  /**
   * Whether the request failed, but the server may bill it.
   *
   * @default false
   */
  isLost?: boolean;
  /**
   * The number of answered requests.
   *
   * @default 1
   */
  requests?: number;
}

/** The amounts reserved for one request. Disposing of it releases them. */
export interface Reservation extends Disposable {
  /** The request's maximum cost in USD. */
  readonly cost: number;
  /** Records what the request used. Call it at most once, before {@link Reservation.release}. */
  commit(charge: Charge): void;
  /** Releases the reserved amounts. Only the first call has an effect. */
  release(): void;
}

/** A request that waits for part of a budget. */
export interface BudgetWaiter {
  /** Its maximum cost in USD. */
  readonly cost: number;
  /** Called when the request may fit now, or can never fit. Call {@link Budget.tryReserve} again then. */
  wake(): void;
}

/** A limit on spending, shared by any number of clients. {@link CostTracker} is one. */
export interface Budget {
  /**
   * Reserves the cost of `waiter`. Returns `undefined` if it does not fit now, and wakes `waiter` when its
   * turn comes.
   *
   * @throws {FlexLLMError} if the cost can never fit
   */
  tryReserve(waiter: BudgetWaiter): Reservation | undefined;
  /** Removes `waiter` from those that wait. */
  cancel(waiter: BudgetWaiter): void;
}
