/**
 * Reserves money for calls, in order of arrival while others hold the rest of a budget.
 *
 * @module
 */
import { abortedBy } from "../../errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import { shortageOf } from "../ledger/balances.ts";
import type { Ledger, LedgerReservation, ReserveRequest, Shortage } from "../ledger/ledger.ts";
import type { Calendar } from "../ledger/periods.ts";
import type { CallerAccount } from "./account.ts";
import { BudgetQueue } from "./budget_queue.ts";
import { budgetExceeded, budgetReserved } from "./refusals.ts";

/** See {@link AccessSettings.maxBudgetWait}. */
const DEFAULT_MAX_WAIT = 10;

/** The budgets of a gateway. */
export class MoneyReserve {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly #calendar: Calendar;
  readonly #now: () => number;
  readonly #queue = new BudgetQueue();
  #maxWait = DEFAULT_MAX_WAIT;

  /** Creates a reserve over a ledger; `now` is in milliseconds since 1970. */
  constructor(ledger: Ledger, calendar: Calendar, clock: Clock, now: () => number) {
    this.ledger = ledger;
    this.clock = clock;
    this.#calendar = calendar;
    this.#now = now;
  }

  /** The maximum wait in seconds; `undefined` for the default. */
  set maxWait(seconds: number | undefined) {
    this.#maxWait = seconds ?? DEFAULT_MAX_WAIT;
  }

  /**
   * Reserves `amount` nanodollars.
   *
   * @throws {GatewayError} 402 if a budget is used up, 429 if other calls hold the rest of it for too long
   * @throws {AbortedError} when `signal` fires
   */
  async reserve(
    caller: CallerAccount,
    route: string,
    amount: number,
    signal: AbortSignal,
  ): Promise<LedgerReservation> {
    const { account: { key, team }, budgets, scopeIds } = caller;
    const deadline = this.clock.now() + this.#maxWait * 1000;
    // Joins before the first attempt if it will probably fail, so that no later call comes before it.
    const expected = this.#shortage({ budgets, amount, day: this.#calendar.today() });
    let waiter = expected === undefined || expected.isFinal
      ? undefined
      : this.#queue.join(expected.scope);
    try {
      while (true) {
        const day = this.#calendar.today();
        const request = { key, team, route, day, amount, budgets };
        const blocker = this.#queue.blockerOf(scopeIds, waiter);
        let shortage: Shortage | undefined;
        if (blocker === undefined) {
          const outcome = await this.ledger.reserve(request);
          if (outcome.reservation !== undefined) {
            return this.#accept(outcome.reservation, caller, signal);
          }
          shortage = outcome.shortage;
        } else {
          // A budget that is used up is refused at once, also behind others.
          shortage = this.#shortage(request);
        }
        if (shortage?.isFinal) {
          const scope = caller.scope(shortage.scope);
          throw budgetExceeded(scope, shortage, amount, day, this.#now());
        }
        const blockedOn = blocker ?? shortage!.scope;
        if (waiter === undefined) waiter = this.#queue.join(blockedOn);
        else this.#queue.move(waiter, blockedOn);
        if (!await waiter.sleep(this.clock, deadline, signal)) {
          throw budgetReserved(caller.scope(shortage?.scope ?? blockedOn), shortage, amount);
        }
      }
    } finally {
      if (waiter !== undefined) this.#queue.leave(waiter);
    }
  }

  /** Releases a reservation of a caller, and lets others have the money. */
  release(reservation: LedgerReservation, caller: CallerAccount): void {
    this.ledger.release(reservation);
    this.wake(caller.scopeIds);
  }

  /** Lets calls try again that wait for the budgets of these scopes. */
  wake(scopeIds: readonly string[]): void {
    this.#queue.wake(scopeIds);
  }

  #accept(
    reservation: LedgerReservation,
    caller: CallerAccount,
    signal: AbortSignal,
  ): LedgerReservation {
    if (!signal.aborted) return reservation;
    this.release(reservation, caller);
    throw abortedBy(signal);
  }

  /** Why a request probably does not fit now; a budget that is used up comes before others. */
  #shortage(
    { budgets, amount, day }: Pick<ReserveRequest, "budgets" | "amount" | "day">,
  ): Shortage | undefined {
    let blocked: Shortage | undefined;
    for (const budget of budgets) {
      const shortage = shortageOf(this.ledger.balance(budget.scope, day), budget, amount);
      if (shortage?.isFinal) return shortage;
      blocked ??= shortage;
    }
    return blocked;
  }
}
