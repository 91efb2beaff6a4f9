/**
 * Decides by virtual keys, limits and budgets who may call.
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import { abortedBy } from "../../errors.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import type {
  Access,
  AccessDemand,
  Admission,
  Caller,
  KeyReport,
  SharedStoreReport,
} from "../access.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { toDollars, toNanosUp } from "../ledger/money.ts";
import { Calendar } from "../ledger/periods.ts";
import { type AccessOptions, type AccessSettings, checkConfigured } from "./access_settings.ts";
import type { CallerAccount } from "./account.ts";
import { Accounts } from "./accounts.ts";
import { KeyAdmission } from "./key_admission.ts";
import { stateOf } from "./key_settings.ts";
import { KeyStore } from "./key_store.ts";
import { hasRate, rateStates, refusalOf } from "./limit_scope.ts";
import { MoneyReserve, type WantedAmounts } from "./money_reserve.ts";
import { rateExceeded, ratesUnavailable, unauthenticated, unpriced } from "./refusals.ts";
import { hashSecret } from "./secrets.ts";
import type { SharedRates } from "./shared/shared_rates.ts";

/** How often a call may fetch quota that other calls then take. */
const MAX_FETCHES = 10;

/** What a gateway shares with others. */
export interface SharedAccess {
  /** Rates and slots. */
  rates: SharedRates;
  /** The store, for the status. */
  store: () => SharedStoreReport;
}

/**
 * Decides by virtual keys who may call; see {@link openAccess}.
 *
 * @example
 * ```ts
 * import { openAccess } from "@flexllm/flexllm";
 *
 * await using access = await openAccess({ database: "gateway.db" });
 * if (access.recovered.requests > 0) console.warn(access.recovered);
 * console.table(access.report());
 * ```
 */
export class KeyAccess implements Access {
  /** Creates, lists and changes keys. */
  readonly keys: KeyStore;
  /**
   * Requests in flight when an earlier gateway was killed, and their cost in USD. They count as spent.
   */
  readonly recovered: { requests: number; cost: number };
  readonly #ledger: Ledger;
  readonly #accounts: Accounts;
  readonly #rates: SharedRates | undefined;
  readonly #store: (() => SharedStoreReport) | undefined;
  readonly #money: MoneyReserve;
  readonly #calendar: Calendar;
  readonly #clock: Clock;
  readonly #now: () => number;
  #settings: AccessSettings;

  /** Creates an access over a ledger, which it closes; {@link openAccess} also opens the ledger. */
  constructor(ledger: Ledger, options: AccessOptions, shared?: SharedAccess) {
    this.#ledger = ledger;
    this.#rates = shared?.rates;
    this.#store = shared?.store;
    this.#accounts = new Accounts(shared?.rates);
    this.#clock = options.clock ?? systemClock;
    this.#now = options.now ?? Date.now;
    this.#calendar = new Calendar(this.#now);
    this.#settings = options;
    this.#money = new MoneyReserve(ledger, this.#calendar, this.#clock, this.#now);
    this.#money.maxWait = options.maxBudgetWait;
    ledger.watch?.((scopes) => this.#money.wake(scopes));
    this.keys = new KeyStore(ledger, this.#now);
    this.recovered = { ...ledger.recovered, cost: toDollars(ledger.recovered.cost) };
    this.#accounts.configure(options, this.#clock.now());
    this.#refresh(true);
  }

  /** Whether a key exists, active or not; calls then need one. */
  get hasKeys(): boolean {
    this.#refresh(true);
    return this.#accounts.keys.length > 0;
  }

  /**
   * Replaces the settings. What is in use of the limits stays in use.
   *
   * @throws {ConfigurationError} if a setting is wrong; the old settings stay
   */
  configure(settings: AccessSettings): void {
    checkConfigured(settings);
    this.#settings = settings;
    this.#accounts.configure(settings, this.#clock.now());
    this.#money.maxWait = settings.maxBudgetWait;
    this.#money.wake(this.#accounts.scopes.map(({ id }) => id));
  }

  authenticate(secret: string | undefined): Caller {
    this.#refresh(false);
    if (secret === undefined || secret === "") {
      if (this.#acceptsAnonymous()) return this.#accounts.anonymous;
      throw unauthenticated("an API key is required", this.#keyHint());
    }
    const hash = hashSecret(secret);
    let known = this.#accounts.find(hash);
    if (known === undefined) {
      // It may have been created a moment ago.
      this.#refresh(true);
      known = this.#accounts.find(hash);
    }
    const now = this.#now();
    if (
      known === undefined || now >= known.until ||
      !timingSafeEqual(known.hash, Buffer.from(hash, "hex"))
    ) {
      if (this.#acceptsAnonymous()) return this.#accounts.anonymous;
      throw unauthenticated("the API key is not valid", this.#keyHint());
    }
    const state = stateOf(known.key, now);
    if (state === "active") return known.caller;
    throw unauthenticated(`the API key ${JSON.stringify(known.key.name)} is ${state}`);
  }

  async admit(caller: Caller, demand: AccessDemand, signal: AbortSignal): Promise<Admission> {
    if (signal.aborted) throw abortedBy(signal);
    const account = caller as CallerAccount;
    const { scopes } = account;
    const wanted = this.#amountsOf(account, demand);
    const tokens = Math.max(0, demand.promptTokens + demand.completionTokens) || 0;
    let now = this.#clock.now();
    if (this.#rates?.isStopped && scopes.some(hasRate)) throw ratesUnavailable();
    let refusal = refusalOf(scopes, tokens, now);
    // Other calls may be faster, and take what was fetched.
    for (let i = 0; refusal !== undefined && i < MAX_FETCHES; i++) {
      if (!await this.#rates?.fetch(scopes, tokens)) break;
      if (signal.aborted) throw abortedBy(signal);
      now = this.#clock.now();
      refusal = refusalOf(scopes, tokens, now);
    }
    if (refusal !== undefined) throw rateExceeded(refusal, tokens, rateStates(scopes, now));
    for (const scope of scopes) scope.take(tokens, now);
    try {
      const { route } = demand;
      const reservation = wanted === undefined
        ? undefined
        : await this.#money.reserve(account, route, wanted, signal);
      const day = reservation?.request.day ?? this.#calendar.today();
      return new KeyAdmission(this.#money, account, {
        route,
        amount: reservation?.amount ?? 0,
        tokens,
        day,
        reservation,
      });
    } catch (error) {
      const now = this.#clock.now();
      for (const scope of scopes) scope.undo(tokens, now);
      throw error;
    }
  }

  report(): KeyReport[] {
    this.#refresh(true);
    const day = this.#calendar.today();
    const now = this.#now();
    const keys = new Map(this.#accounts.keys.map((key) => [`key:${key.id}`, key]));
    return this.#accounts.scopes.map((scope) => {
      const { kind, name, limits, inFlight } = scope;
      const { spent, reserved, requests } = this.#ledger.balance(scope.id, day);
      const key = keys.get(scope.id);
      return {
        kind,
        name,
        team: key?.team,
        prefix: key?.prefix,
        state: key === undefined ? "active" : stateOf(key, now),
        limits,
        spent: {
          day: toDollars(spent.day + reserved.day),
          month: toDollars(spent.month + reserved.month),
          total: toDollars(spent.total + reserved.total),
        },
        inFlight,
        requests,
      };
    });
  }

  /** Stores everything that was committed so far. */
  flush(): Promise<void> {
    return this.#ledger.flush();
  }

  /** What gateways share through a store; `undefined` if nothing is shared. */
  store(): SharedStoreReport | undefined {
    return this.#store?.();
  }

  close(): Promise<void> {
    this.#rates?.close();
    return this.#ledger.close();
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #refresh(fresh: boolean): void {
    const keys = this.#ledger.currentKeys(fresh);
    if (keys !== this.#accounts.keys) this.#accounts.update(keys, this.#clock.now());
  }

  #acceptsAnonymous(): boolean {
    return this.#settings.allowAnonymous === true && this.#accounts.keys.length === 0;
  }

  #keyHint(): string | undefined {
    return this.#accounts.keys.length > 0
      ? undefined
      : "No key exists yet. The operator can create one: flexllm serve virtual-key create NAME";
  }

  /** The amounts to reserve; `undefined` without a budget, and for what is free. */
  #amountsOf(
    { budgets, scopes }: CallerAccount,
    { cost, usualCost = cost ?? 0, leastCost = usualCost, route }: AccessDemand,
  ): WantedAmounts | undefined {
    if (budgets.length === 0) return undefined;
    if (cost !== null) {
      if (!(cost > 0)) return undefined;
      return { full: toNanosUp(cost), usual: toNanosUp(usualCost), least: toNanosUp(leastCost) };
    }
    if (this.#settings.allowUnpriced) return undefined;
    throw unpriced(scopes.find(({ budget }) => budget !== undefined)!, route);
  }
}
