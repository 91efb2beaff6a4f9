/**
 * Holds the limits of one virtual key, one team, or the whole gateway, and what is in use of them.
 *
 * @module
 */
import type { LimitState, RateStates } from "../access.ts";
import type { KeyLimits } from "../key_limits.ts";
import type { ScopeBudget } from "../ledger/ledger.ts";
import { toNanos } from "../ledger/money.ts";
import { BUDGET_PERIODS } from "../ledger/periods.ts";
import { type CallSlots, LOCAL_RATES, type RateBucket, type RateSource } from "./rate_bucket.ts";

/** What a scope is: see {@link KeyReport.kind}. */
export type ScopeKind = "key" | "team" | "all";

/** A rate or concurrency limit that does not allow a call now. */
export interface RateRefusal {
  scope: LimitScope;
  limit: "rpm" | "tpm" | "concurrent";
  /** Milliseconds until the call would be allowed; `undefined` if it depends on other calls. */
  delay?: number;
}

/** The limits of a scope. */
export class LimitScope {
  readonly kind: ScopeKind;
  /** The name in the ledger. */
  readonly id: string;
  /** The name for people; empty for `all`. */
  name: string;
  limits: KeyLimits = {};
  /** Its budgets; `undefined` without one. */
  budget: ScopeBudget | undefined;
  requests: RateBucket | undefined;
  tokens: RateBucket | undefined;
  /** The slots of its calls in flight. */
  readonly slots: CallSlots;
  readonly #rates: RateSource;

  /** Creates a scope without limits. */
  constructor(kind: ScopeKind, id: string, name: string, rates: RateSource = LOCAL_RATES) {
    this.kind = kind;
    this.id = id;
    this.name = name;
    this.#rates = rates;
    this.slots = rates.slots(id);
  }

  /** Calls in flight at this gateway. */
  get inFlight(): number {
    return this.slots.inFlight;
  }

  /** Changes the limits. What is in use stays in use. */
  setLimits(limits: KeyLimits, now: number): void {
    const { rpm, tpm, concurrent, budget } = limits;
    this.limits = { rpm, tpm, concurrent, budget };
    this.requests = this.#resized(this.requests, "rpm", rpm, now);
    this.tokens = this.#resized(this.tokens, "tpm", tpm, now);
    this.budget = undefined;
    for (const period of BUDGET_PERIODS) {
      const dollars = budget?.[period];
      if (dollars === undefined) continue;
      this.budget ??= { scope: this.id };
      this.budget[period] = toNanos(dollars);
    }
  }

  /** The limit that does not allow a call of `tokens` tokens now. */
  refusal(tokens: number, now: number): RateRefusal | undefined {
    const { concurrent } = this.limits;
    const requestDelay = this.requests?.delay(1, now) ?? 0;
    const tokenDelay = this.tokens?.delay(tokens, now) ?? 0;
    if (requestDelay > 0 || tokenDelay > 0) {
      return requestDelay >= tokenDelay
        ? { scope: this, limit: "rpm", delay: requestDelay }
        : { scope: this, limit: "tpm", delay: tokenDelay };
    }
    if (concurrent !== undefined && !this.slots.isFree(concurrent)) {
      return { scope: this, limit: "concurrent" };
    }
    return undefined;
  }

  /** Starts a call. */
  take(tokens: number, now: number): void {
    this.slots.take();
    this.requests?.take(1, now);
    this.tokens?.take(tokens, now);
  }

  /** Takes back the start of a call that was refused for another reason. */
  undo(tokens: number, now: number): void {
    this.slots.release();
    this.requests?.take(-1, now);
    this.tokens?.take(-tokens, now);
  }

  #resized(
    bucket: RateBucket | undefined,
    kind: "rpm" | "tpm",
    perMinute: number | undefined,
    now: number,
  ): RateBucket | undefined {
    if (perMinute === undefined) return undefined;
    if (bucket === undefined) return this.#rates.bucket(this.id, kind, perMinute, now);
    if (bucket.perMinute !== perMinute) bucket.resize(perMinute, now);
    return bucket;
  }
}

/** Whether a scope has a limit other than budgets. */
export function hasRate({ limits: { rpm, tpm, concurrent } }: LimitScope): boolean {
  return rpm !== undefined || tpm !== undefined || concurrent !== undefined;
}

/** The refusal of the scope that allows the call last; `undefined` if all of them allow it. */
export function refusalOf(
  scopes: readonly LimitScope[],
  tokens: number,
  now: number,
): RateRefusal | undefined {
  let last: RateRefusal | undefined;
  for (const scope of scopes) {
    const refusal = scope.refusal(tokens, now);
    if (refusal !== undefined && (last === undefined || (refusal.delay ?? 0) > (last.delay ?? 0))) {
      last = refusal;
    }
  }
  return last;
}

function tightest(
  scopes: readonly LimitScope[],
  bucketOf: (scope: LimitScope) => RateBucket | undefined,
  now: number,
): LimitState | undefined {
  let state: LimitState | undefined;
  for (const scope of scopes) {
    const next = bucketOf(scope)?.state(now);
    if (next !== undefined && (state === undefined || next.remaining < state.remaining)) {
      state = next;
    }
  }
  return state;
}

/** What is left of the rates of several scopes: of each rate, the scope that has the least. */
export function rateStates(scopes: readonly LimitScope[], now: number): RateStates {
  return {
    requests: tightest(scopes, ({ requests }) => requests, now),
    tokens: tightest(scopes, ({ tokens }) => tokens, now),
  };
}
