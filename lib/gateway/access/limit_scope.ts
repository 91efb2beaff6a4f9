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
import { TokenBucket } from "./token_bucket.ts";

/** What a scope is: see {@link KeyReport.kind}. */
export type ScopeKind = "key" | "team" | "all";

/** A rate or concurrency limit that does not allow a call now. */
export interface RateRefusal {
  scope: LimitScope;
  limit: "rpm" | "tpm" | "concurrent";
  /** Milliseconds until the call would be allowed; `undefined` if it depends on other calls. */
  delay?: number;
}

function resized(
  bucket: TokenBucket | undefined,
  perMinute: number | undefined,
  now: number,
): TokenBucket | undefined {
  if (perMinute === undefined) return undefined;
  if (bucket === undefined) return new TokenBucket(perMinute, now);
  if (bucket.perMinute !== perMinute) bucket.resize(perMinute, now);
  return bucket;
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
  requests: TokenBucket | undefined;
  tokens: TokenBucket | undefined;
  inFlight = 0;

  /** Creates a scope without limits. */
  constructor(kind: ScopeKind, id: string, name: string) {
    this.kind = kind;
    this.id = id;
    this.name = name;
  }

  /** Changes the limits. What is in use stays in use. */
  setLimits(limits: KeyLimits, now: number): void {
    const { rpm, tpm, concurrent, budget } = limits;
    this.limits = { rpm, tpm, concurrent, budget };
    this.requests = resized(this.requests, rpm, now);
    this.tokens = resized(this.tokens, tpm, now);
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
    if (concurrent !== undefined && this.inFlight >= concurrent) {
      return { scope: this, limit: "concurrent" };
    }
    return undefined;
  }

  /** Starts a call. */
  take(tokens: number, now: number): void {
    this.inFlight++;
    this.requests?.take(1, now);
    this.tokens?.take(tokens, now);
  }

  /** Takes back the start of a call that was refused for another reason. */
  undo(tokens: number, now: number): void {
    this.inFlight--;
    this.requests?.take(-1, now);
    this.tokens?.take(-tokens, now);
  }
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
  bucketOf: (scope: LimitScope) => TokenBucket | undefined,
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
