/**
 * What is reserved for one call of a virtual key.
 *
 * @module
 */
import type { Charge } from "../../scheduling/budget.ts";
import type { Admission, RateStates } from "../access.ts";
import { ALL_SCOPE, keyScope, type LedgerReservation, type SpendRow } from "../ledger/ledger.ts";
import { toDollars, toNanos } from "../ledger/money.ts";
import type { CallerAccount } from "./account.ts";
import { rateStates } from "./limit_scope.ts";
import type { MoneyReserve } from "./money_reserve.ts";

/** What a call has taken from its limits and budgets. */
export interface AdmittedDemand {
  route: string;
  /** The money for one attempt, in nanodollars. */
  amount: number;
  /** Tokens that were taken from the rate limits. */
  tokens: number;
  /** The day on which it was admitted. */
  day: string;
  reservation: LedgerReservation | undefined;
}

/** The row of spending for a charge. */
function rowOf(caller: CallerAccount, day: string, charge: Charge, cost: number): SpendRow {
  const { model, endpoint, usage, isLost = false, requests = 1 } = charge;
  return {
    day,
    key: caller.account.key,
    team: caller.account.team,
    model,
    endpoint,
    requests: isLost ? 0 : requests,
    unpriced: charge.cost === null && !isLost ? requests : 0,
    promptTokens: usage?.promptTokens ?? 0,
    cachedTokens: usage?.cachedTokens ?? 0,
    cacheWriteTokens: usage?.cacheWriteTokens ?? 0,
    completionTokens: usage?.completionTokens ?? 0,
    reasoningTokens: usage?.reasoningTokens ?? 0,
    cost,
  };
}

/** The reservation of requests, tokens and money for one call. */
export class KeyAdmission implements Admission {
  readonly #money: MoneyReserve;
  readonly #caller: CallerAccount;
  readonly #demand: AdmittedDemand;
  #reservation: LedgerReservation | undefined;
  /** Tokens of the answers so far. */
  #usedTokens = 0;
  /** Whether an attempt without a token count may have used as many as estimated. */
  #isEstimate = false;
  #wasBilled = false;
  #isOpen = true;

  /** Takes over what was taken; releases it at the end. */
  constructor(money: MoneyReserve, caller: CallerAccount, demand: AdmittedDemand) {
    this.#money = money;
    this.#caller = caller;
    this.#demand = demand;
    this.#reservation = demand.reservation;
  }

  get limits(): RateStates {
    return rateStates(this.#caller.scopes, this.#money.clock.now());
  }

  get allowance(): number | undefined {
    return this.#demand.amount === 0 ? undefined : toDollars(this.#demand.amount);
  }

  get spent(): number {
    const { id } = this.#caller;
    const scope = id === "" ? ALL_SCOPE : keyScope(id);
    return toDollars(this.#money.ledger.balance(scope, this.#demand.day).spent.total);
  }

  commit(charge: Charge): void {
    const { usage, isLost = false } = charge;
    const reserved = this.#reservation?.amount ?? 0;
    const cost = charge.cost === null || !(charge.cost >= 0)
      ? reserved
      : toNanos(Math.min(charge.cost, MAX_COST));
    if (usage !== null) this.#usedTokens += usage.promptTokens + usage.completionTokens;
    else this.#isEstimate = true;
    const remaining = isLost ? Math.max(0, reserved - cost) : 0;
    this.#wasBilled ||= isLost && cost > 0;
    const day = this.#reservation?.request.day ?? this.#demand.day;
    const row = rowOf(this.#caller, day, charge, cost);
    this.#money.ledger.commit(row, this.#reservation, remaining);
    if (reserved > cost + remaining) this.#money.wake(this.#caller.scopeIds);
  }

  async renew(signal: AbortSignal): Promise<void> {
    if (!this.#wasBilled || !this.#isOpen) return;
    this.#wasBilled = false;
    this.#releaseMoney();
    const { route, amount } = this.#demand;
    if (amount === 0) return;
    const reservation = await this.#money.reserve(
      this.#caller,
      route,
      { full: amount, usual: amount, least: amount },
      signal,
    );
    if (this.#isOpen) this.#reservation = reservation;
    else this.#money.release(reservation, this.#caller);
  }

  release(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#releaseMoney();
    const now = this.#money.clock.now();
    const { tokens } = this.#demand;
    const used = this.#isEstimate ? Math.max(tokens, this.#usedTokens) : this.#usedTokens;
    for (const scope of this.#caller.scopes) {
      scope.slots.release();
      scope.tokens?.take(used - tokens, now);
    }
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #releaseMoney(): void {
    const reservation = this.#reservation;
    if (reservation === undefined) return;
    this.#reservation = undefined;
    // A final commit has left nothing to release.
    if (reservation.amount === 0) return;
    this.#money.release(reservation, this.#caller);
  }
}

/** The maximum cost of one attempt in USD. A provider that reports more has made a mistake. */
const MAX_COST = 1e6;
