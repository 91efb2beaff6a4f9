/**
 * Keeps the balance of every key, every team and the whole gateway in memory.
 *
 * @module
 */
import {
  type Account,
  ALL_SCOPE,
  type BalanceState,
  keyScope,
  type LedgerReservation,
  type ReserveRequest,
  type ScopeBudget,
  type Shortage,
  type SpendRow,
  teamScope,
} from "./ledger.ts";
import { BUDGET_PERIODS, monthOf } from "./periods.ts";

type Amounts = { day: number; month: number; total: number };

/** The balance of one scope. Amounts of past days no longer count for the current day. */
class Balance implements BalanceState {
  readonly spent: Amounts = { day: 0, month: 0, total: 0 };
  readonly reserved: Amounts = { day: 0, month: 0, total: 0 };
  requests = 0;
  #day = "";
  #month = "";

  /** Begins the day, and its month, unless they have begun already. */
  advance(day: string): void {
    if (day <= this.#day) return;
    this.#day = day;
    this.spent.day = this.reserved.day = this.requests = 0;
    const month = monthOf(day);
    if (month === this.#month) return;
    this.#month = month;
    this.spent.month = this.reserved.month = 0;
  }

  /** Adds to amounts: to those of `day`, if that is not over, and of its month. */
  add(amounts: Amounts, day: string, amount: number): void {
    this.advance(day);
    if (day === this.#day) amounts.day += amount;
    if (monthOf(day) === this.#month) amounts.month += amount;
    amounts.total += amount;
  }

  addRequests(day: string, requests: number): void {
    this.advance(day);
    if (day === this.#day) this.requests += requests;
  }
}

/** The first budget of a scope into which `amount` does not fit; one that is used up comes before others. */
export function shortageOf(
  { spent, reserved }: BalanceState,
  budget: ScopeBudget,
  amount: number,
): Shortage | undefined {
  let blocked: Shortage | undefined;
  for (const period of BUDGET_PERIODS) {
    const limit = budget[period];
    if (limit === undefined || spent[period] + reserved[period] + amount <= limit) continue;
    const shortage = {
      scope: budget.scope,
      period,
      limit,
      spent: spent[period],
      reserved: reserved[period],
      isFinal: spent[period] + amount > limit,
    };
    if (shortage.isFinal) return shortage;
    blocked ??= shortage;
  }
  return blocked;
}

/** What was spent before, for {@link Balances.load}. */
export interface SpendTotals extends Account {
  total: number;
  month: number;
  day: number;
  requests: number;
}

/** The balances of all scopes. */
export class Balances {
  readonly #scopes = new Map<string, Balance>();

  /** Loads sums of earlier spending, as of `day`. */
  load(totals: readonly SpendTotals[], day: string): void {
    for (const row of totals) {
      for (const balance of this.#balances(row)) {
        balance.advance(day);
        balance.spent.day += row.day;
        balance.spent.month += row.month;
        balance.spent.total += row.total;
        balance.requests += row.requests;
      }
    }
  }

  /** Reserves the amount of a request, or returns the budget that does not allow it. */
  reserve(request: ReserveRequest): Shortage | undefined {
    let blocked: Shortage | undefined;
    for (const budget of request.budgets) {
      const balance = this.#balance(budget.scope);
      balance.advance(request.day);
      const shortage = shortageOf(balance, budget, request.amount);
      if (shortage?.isFinal) return shortage;
      blocked ??= shortage;
    }
    if (blocked === undefined) this.#changeReserved(request, request.day, request.amount);
    return blocked;
  }

  /** Sets what is still reserved, and releases the rest. */
  keep(reservation: LedgerReservation, remaining: number): void {
    const { request, amount } = reservation;
    reservation.amount = remaining;
    this.#changeReserved(request, request.day, remaining - amount);
  }

  #changeReserved(account: Account, day: string, amount: number): void {
    for (const balance of this.#balances(account)) balance.add(balance.reserved, day, amount);
  }

  /** Adds a row of spending. */
  spend(row: SpendRow): void {
    for (const balance of this.#balances(row)) {
      balance.add(balance.spent, row.day, row.cost);
      balance.addRequests(row.day, row.requests);
    }
  }

  /** The balance of a scope on `day`. */
  get(scope: string, day: string): BalanceState {
    const balance = this.#balance(scope);
    balance.advance(day);
    return balance;
  }

  #balance(scope: string): Balance {
    let balance = this.#scopes.get(scope);
    if (balance === undefined) this.#scopes.set(scope, balance = new Balance());
    return balance;
  }

  #balances({ key, team }: Account): Balance[] {
    const balances = [this.#balance(ALL_SCOPE)];
    if (key !== "") balances.push(this.#balance(keyScope(key)));
    if (team !== "") balances.push(this.#balance(teamScope(team)));
    return balances;
  }
}
