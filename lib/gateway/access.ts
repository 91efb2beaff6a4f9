/**
 * Defines how the gateway decides who may call, what, and for how much.
 *
 * @module
 */
import type { Charge } from "../scheduling/budget.ts";
import type { KeyLimits } from "./key_limits.ts";

/** Who makes a call. */
export interface Caller {
  /** The id of the virtual key; `""` for a gateway without keys. */
  readonly id: string;
  /** The name of the key, for logs, metrics and the response cache's namespace. */
  readonly name: string;
  /** The team of the key. */
  readonly team?: string;
  /** Whether the caller may use a route. */
  mayUse(route: string): boolean;
  /** Whether its token counts and its cost must be known: it, its team or the gateway has a limit on them. */
  readonly isMetered: boolean;
}

/** What a call may need at most. */
export interface AccessDemand {
  /** The route, for messages. */
  route: string;
  /** Estimated input tokens. */
  promptTokens: number;
  /** Maximum output tokens, as requested or estimated. */
  completionTokens: number;
  /** Maximum cost in USD at the dearest endpoint; `null` if the price is unknown. */
  cost: number | null;
  /**
   * Maximum cost in USD of an answer as long as any so far, if the gateway can limit the answer: a call that the
   * budget cannot pay for in full then gets a part of the budget, at least this while other calls may release
   * money, and at least `leastCost` when they cannot.
   *
   * @default cost
   */
  usualCost?: number;
  /**
   * Maximum cost in USD of the shortest answer that is worth sending the call.
   *
   * @default cost
   */
  leastCost?: number;
}

/** The state of a limit for `x-ratelimit-*` headers. */
export interface LimitState {
  /** Per minute. */
  limit: number;
  /** Left now. */
  remaining: number;
  /** Seconds until all of them are available again. */
  reset: number;
}

/** The requests and tokens of the tightest limits; absent without limits. */
export interface RateStates {
  /** Requests per minute. */
  requests?: LimitState;
  /** Input and output tokens per minute. */
  tokens?: LimitState;
}

/** What is reserved for one call. Disposing of it releases the rest. */
export interface Admission extends Disposable {
  /** The requests and tokens of the tightest limits; absent without limits. */
  readonly limits: RateStates;
  /** USD that the key has spent in its total, this call's commits included. */
  readonly spent: number;
  /**
   * USD that each attempt may cost: the demanded cost, or the part of it that the budgets can pay. `undefined`
   * without a budget.
   */
  readonly allowance?: number;
  /**
   * Records what the call used: the answer, and before it each failed attempt that may be billed
   * (`isLost`). Never throws: an answer is delivered even if its cost cannot be stored; the ledger retries.
   */
  commit(charge: Charge): void;
  /**
   * Reserves the money for another attempt, if the one before was billed; call it before every retry.
   *
   * @throws {GatewayError} 402 if the budget does not allow another attempt
   * @throws {AbortedError} when `signal` fires
   */
  renew(signal: AbortSignal): Promise<void>;
  /** Releases what is still reserved. Only the first call has an effect. */
  release(): void;
}

/** Decides who may call. */
export interface Access {
  /**
   * Identifies the caller by a key from the request; synchronous.
   *
   * @throws {GatewayError} 401 if the key is missing, unknown, disabled or expired
   */
  authenticate(secret: string | undefined): Caller;
  /**
   * Reserves requests, tokens and money of the key, its team and the whole gateway in one step. Money is
   * stored durably before this resolves. Waits a bounded time while other calls hold the rest of a budget.
   *
   * @throws {GatewayError} 402 if a budget is used up, 429 if a rate is exceeded
   * @throws {AbortedError} when `signal` fires
   */
  admit(caller: Caller, demand: AccessDemand, signal: AbortSignal): Promise<Admission>;
  /** Spending and limits of every key, for the status, the page and the metrics. */
  report(): KeyReport[];
  /** What gateways share through a store; `undefined` if nothing is shared. */
  store?(): SharedStoreReport | undefined;
  /** Writes what is pending and closes the ledger. */
  close(): Promise<void>;
}

/** The limits and the spending of one key, a team, or the whole gateway. */
export interface KeyReport {
  /** `key`, `team`, or `all`. */
  kind: "key" | "team" | "all";
  /** The name; empty for `all`. */
  name: string;
  /** The team of a key. */
  team?: string;
  /** The beginning of the secret, for recognition. */
  prefix?: string;
  /** `active`, `disabled` or `expired`. */
  state: "active" | "disabled" | "expired";
  /** Its limits. */
  limits: KeyLimits;
  /** USD spent in the current day, month and altogether (UTC), with open reservations. */
  spent: { day: number; month: number; total: number };
  /** Calls in flight. */
  inFlight: number;
  /** Calls today (UTC). */
  requests: number;
}

/** What gateways share through a store such as Redis. */
export interface SharedStoreReport {
  /** Its address, without a password. */
  address: string;
  /** Whether it can be used. */
  up: boolean;
  /** Seconds for which it could not be used; 0 while it can. */
  downFor: number;
  /** Running gateways, as last seen. */
  gateways: number;
  /** Whether the virtual keys come from this gateway's database. */
  publishesKeys: boolean;
}
