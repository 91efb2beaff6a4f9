/**
 * Reserves money for calls, in order of arrival while others hold the rest of a budget.
 *
 * @module
 */
import { abortedBy } from "../../errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import { shortageOf } from "../ledger/balances.ts";
import type {
  Ledger,
  LedgerReservation,
  ReserveRequest,
  ScopeBudget,
  Shortage,
} from "../ledger/ledger.ts";
import { BUDGET_PERIODS, type Calendar } from "../ledger/periods.ts";
import type { CallerAccount } from "./account.ts";
import { BudgetQueue } from "./budget_queue.ts";
import { budgetExceeded, budgetReserved } from "./refusals.ts";

/** See {@link AccessSettings.maxBudgetWait}. */
const DEFAULT_MAX_WAIT = 10;

/** The amounts with which a call can be sent, in nanodollars, each at most as high as the one before. */
export interface WantedAmounts {
  /** For the longest possible answer. */
  full: number;
  /** What it needs while other calls may release money. */
  usual: number;
  /** What it needs in any case. */
  least: number;
}

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
   * Reserves the full amount; of a budget that is too small for it, the part that {@link MoneyReserve} finds
   * fair: see `#affordable`.
   *
   * @throws {GatewayError} 402 if a budget is used up, 429 if other calls hold the rest of it for too long
   * @throws {AbortedError} when `signal` fires
   */
  async reserve(
    caller: CallerAccount,
    route: string,
    wanted: WantedAmounts,
    signal: AbortSignal,
  ): Promise<LedgerReservation> {
    const { account: { key, team }, budgets, scopeIds } = caller;
    const deadline = this.clock.now() + this.#maxWait * 1000;
    // Joins before the first attempt if it will probably fail, so that no later call comes before it.
    const now = this.#calendar.today();
    const expected = this.#shortage({
      budgets,
      amount: this.#affordable(budgets, now, wanted),
      day: now,
    });
    let waiter = expected === undefined || expected.isFinal
      ? undefined
      : this.#queue.join(expected.scope);
    try {
      while (true) {
        const day = this.#calendar.today();
        const amount = this.#affordable(budgets, day, wanted);
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
          const isLimitable = wanted.least < wanted.full;
          throw budgetExceeded(scope, shortage, amount, day, this.#now(), isLimitable);
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

  /**
   * The part of the full amount to ask for. Of a budget that cannot pay it now, a call gets half of what is left,
   * so that others can be sent meanwhile; if that is not enough, it waits for them. What is too little for the
   * usual amount, whatever becomes of the others, it gets as a whole.
   */
  #affordable(
    budgets: readonly ScopeBudget[],
    day: string,
    { full, usual, least }: WantedAmounts,
  ): number {
    if (least === full) return full;
    let left = Infinity;
    let unspent = Infinity;
    for (const budget of budgets) {
      const { spent, reserved } = this.ledger.balance(budget.scope, day);
      for (const period of BUDGET_PERIODS) {
        const limit = budget[period];
        if (limit === undefined) continue;
        unspent = Math.min(unspent, limit - spent[period]);
        left = Math.min(left, limit - spent[period] - reserved[period]);
      }
    }
    if (full <= left) return full;
    if (usual <= left) return Math.min(full, Math.max(usual, Math.floor(left / 2)));
    return usual <= unspent ? usual : Math.max(least, left);
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
