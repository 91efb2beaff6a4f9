/**
 * Defines the interface of money that several processes spend from one budget.
 *
 * @module
 */

/** Whether a request can be paid: now, perhaps later, or never. */
export type Affordability = "now" | "later" | "never";

/** The part of a shared budget that this process holds. Amounts are in USD. */
export interface SharedMoney {
  /** The USD that all processes have spent or hold, at the last report. */
  readonly total: number;
  /**
   * Whether `cost` can be reserved. If it cannot be now, more is requested from the server, and `onChange` is
   * called with the reply.
   */
  afford(cost: number): Affordability;
  /** Reserves `cost`, which {@link SharedMoney.afford} has granted or an earlier process has spent already. */
  reserve(cost: number): void;
  /** Returns what was reserved. */
  release(cost: number): void;
  /** Counts what was spent. */
  spend(cost: number): void;
  /** Called when a request that had to wait may fit now, or can never fit. */
  onChange: () => void;
}
