/**
 * Keeps a copy of the sums that gateways share, and what this gateway has changed since.
 *
 * @module
 */
import {
  type Account,
  ALL_SCOPE,
  type BalanceState,
  keyScope,
  type ScopeBudget,
  type Shortage,
  teamScope,
} from "../ledger.ts";
import { BUDGET_PERIODS, type BudgetPeriod, monthOf } from "../periods.ts";

/** What is summed up: spent, reserved, spent by gateways that have ended, requests. */
type Kind = "s" | "r" | "e" | "n";

/** Sums of one scope, by kind and period, such as `s:2026-11`. */
type Sums = Map<string, number>;

/** The name of a period that contains `day`, as in the names of sums. */
function nameOf(period: BudgetPeriod, day: string): string {
  return period === "total" ? period : period === "month" ? monthOf(day) : day;
}

function addTo(scopes: Map<string, Sums>, scope: string, name: string, amount: number): void {
  let sums = scopes.get(scope);
  if (sums === undefined) scopes.set(scope, sums = new Map());
  sums.set(name, (sums.get(name) ?? 0) + amount);
}

function scopesOf({ key, team }: Account): string[] {
  const scopes = [ALL_SCOPE];
  if (key !== "") scopes.push(keyScope(key));
  if (team !== "") scopes.push(teamScope(team));
  return scopes;
}

/** The balances of all scopes as far as this gateway knows them. */
export class SharedBalances {
  /** As the server has reported them. */
  readonly #shared = new Map<string, Sums>();
  /** Own changes that are on their way to the server. */
  #sent = new Map<string, Sums>();
  /** Own changes since. */
  #pending = new Map<string, Sums>();

  /** Counts a change that the server does not know yet. */
  add(kind: "s" | "r", account: Account, day: string, amount: number, requests = 0): void {
    for (const scope of scopesOf(account)) {
      for (const period of BUDGET_PERIODS) {
        addTo(this.#pending, scope, `${kind}:${nameOf(period, day)}`, amount);
      }
      if (requests !== 0) addTo(this.#pending, scope, `n:${day}`, requests);
    }
  }

  /** The changes so far are being sent. */
  send(): void {
    this.#sent = this.#pending;
    this.#pending = new Map();
  }

  /** What was sent is now part of the server's sums. */
  confirm(): void {
    this.#sent = new Map();
  }

  /** What was sent may not have arrived: it is sent again. */
  takeBack(): void {
    for (const [scope, sums] of this.#sent) {
      for (const [name, amount] of sums) addTo(this.#pending, scope, name, amount);
    }
    this.#sent = new Map();
  }

  /** Takes over the server's sums of a scope, a list of names and values. Returns whether money became free. */
  load(scope: string, entries: readonly string[]): boolean {
    const before = this.#shared.get(scope);
    const sums: Sums = new Map();
    for (let i = 0; i < entries.length; i += 2) sums.set(entries[i], Number(entries[i + 1]));
    this.#shared.set(scope, sums);
    const used = (sums?: Sums) => (sums?.get("s:total") ?? 0) + (sums?.get("r:total") ?? 0);
    return used(sums) < used(before);
  }

  /** What gateways that have ended have spent, by scope and period. */
  ended(): Record<string, Record<string, number>> {
    const ended: Record<string, Record<string, number>> = {};
    for (const [scope, sums] of this.#shared) {
      for (const [name, amount] of sums) {
        if (name.startsWith("e:") && amount > 0) (ended[scope] ??= {})[name.slice(2)] = amount;
      }
    }
    return ended;
  }

  /** The balance of a scope on `day`. */
  get(scope: string, day: string): BalanceState {
    const of = (kind: Kind, name: string) => this.#sum(scope, `${kind}:${name}`);
    const amounts = (kind: "s" | "r") => ({
      day: of(kind, day),
      month: of(kind, monthOf(day)),
      total: of(kind, "total"),
    });
    return { spent: amounts("s"), reserved: amounts("r"), requests: of("n", day) };
  }

  /**
   * The budget that does not allow `amount` while the server cannot be used: each of `gateways` gateways may use
   * an equal part of what was left when it was last seen.
   */
  shortage(
    budgets: readonly ScopeBudget[],
    day: string,
    amount: number,
    gateways: number,
  ): Shortage | undefined {
    let blocked: Shortage | undefined;
    for (const budget of budgets) {
      for (const period of BUDGET_PERIODS) {
        const limit = budget[period];
        if (limit === undefined) continue;
        const { scope } = budget;
        const { spent, reserved } = this.get(scope, day);
        const name = nameOf(period, day);
        const own = this.#own(scope, `s:${name}`) + this.#own(scope, `r:${name}`);
        const left = limit - (spent[period] + reserved[period] - own);
        if (own + amount <= left / gateways) continue;
        const isFinal = spent[period] + amount > limit;
        const shortage = {
          scope,
          period,
          limit,
          spent: spent[period],
          reserved: reserved[period],
          isFinal,
        };
        if (isFinal) return shortage;
        blocked ??= shortage;
      }
    }
    return blocked;
  }

  #own(scope: string, name: string): number {
    return (this.#sent.get(scope)?.get(name) ?? 0) + (this.#pending.get(scope)?.get(name) ?? 0);
  }

  #sum(scope: string, name: string): number {
    return (this.#shared.get(scope)?.get(name) ?? 0) + this.#own(scope, name);
  }
}
