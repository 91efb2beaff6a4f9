/**
 * Money, as the request queue sees it: reserved together with a slot, rate and tokens, in one step.
 *
 * @module
 */
import type { FlexLLMError } from "../errors.ts";

/** Money that is set aside for one request. */
export interface Reservation {
  /** USD. */
  readonly cost: number;
  /** Gives back what is set aside; only the first call counts. */
  release(): void;
}

/** A request that wants to reserve money. */
export interface BudgetWaiter {
  /** The most that it can cost, in USD. */
  readonly cost: number;
  /** Called when the request may fit now, or never will; it should claim again. */
  wake(): void;
}

/** A limit on what is spent, shared by any number of queues. */
export interface Budget {
  /**
   * Reserves the cost of `waiter` if it fits now; otherwise the error if it can never fit, or
   * `undefined`, and `waiter` waits for its turn.
   */
  claim(waiter: BudgetWaiter): Reservation | FlexLLMError | undefined;
  /** Ends the waiting of `waiter`. */
  leave(waiter: BudgetWaiter): void;
}
