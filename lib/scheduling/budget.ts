/**
 * Money, as the request queue sees it: reserved together with a slot, rate and tokens, in one step.
 *
 * @module
 */
import type { FlexLLMError } from "../errors.ts";

/** Money reserved for one request. */
export interface Reservation {
  /** USD. */
  readonly cost: number;
  /** Releases the money; only the first call has an effect. */
  release(): void;
}

/** A request that wants to reserve money. */
export interface BudgetWaiter {
  /** Its maximum cost in USD. */
  readonly cost: number;
  /** Called when the request may fit now, or never will; it should call `claim` again. */
  wake(): void;
}

/** A limit on what is spent, shared by any number of queues. */
export interface Budget {
  /**
   * Reserves the cost of `waiter` if it fits now. Otherwise returns an error if it can never fit, or
   * `undefined`, and `waiter` waits for its turn.
   */
  claim(waiter: BudgetWaiter): Reservation | FlexLLMError | undefined;
  /** Removes `waiter` from the queue. */
  leave(waiter: BudgetWaiter): void;
}
