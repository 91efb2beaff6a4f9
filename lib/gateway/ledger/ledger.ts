/**
 * Defines the store of virtual keys and their spending.
 *
 * Amounts are whole nanodollars (see money.ts), days are UTC, such as `2026-11-28`. Every operation that may need
 * a network is asynchronous and takes part in a group: a store that several gateways share can implement it.
 *
 * @module
 */
import type { VirtualKey } from "../key_limits.ts";
import type { BudgetPeriod } from "./periods.ts";

/** A virtual key with the hashes of its secrets. */
export interface StoredKey extends VirtualKey {
  /** SHA-256 of the secret, in hexadecimal. */
  hash: string;
  /** SHA-256 of the secret before the last rotation. */
  oldHash?: string;
  /** When that secret stops working, in milliseconds since 1970. */
  oldUntil?: number;
}

/** What a change of keys does. Neither: nothing. */
export interface KeyChange {
  /** The key to add, or to replace by its id. */
  put?: StoredKey;
  /** The id of the key to remove. Its spending stays. */
  remove?: string;
}

/** The store of virtual keys. */
export interface KeyTable {
  /**
   * The keys; the same array until they change. Another process's changes appear within a second, or
   * immediately if `fresh` is set.
   */
  currentKeys(fresh?: boolean): readonly StoredKey[];
  /**
   * Applies a change in one step. `decide` may run several times if other processes interfere.
   *
   * @throws what `decide` throws, or a {@link ConfigurationError} if the store cannot be written
   */
  changeKeys(decide: (keys: readonly StoredKey[]) => KeyChange): Promise<void>;
  /** Spending by day, key, team, model and endpoint. Open reservations are not part of it. */
  spend(filter?: SpendFilter): Promise<SpendRow[]>;
}

/** Who spends. */
export interface Account {
  /** The id of the key; `""` without one. */
  key: string;
  /** The team of the key; `""` without one. */
  team: string;
}

/** The name of an account's own scope. */
export function keyScope(key: string): string {
  return `key:${key}`;
}

/** The name of a team's scope. */
export function teamScope(team: string): string {
  return `team:${team}`;
}

/** The scope of the whole gateway. */
export const ALL_SCOPE = "all";

/** Budgets of one scope, in nanodollars. */
export type ScopeBudget = { scope: string } & Partial<Record<BudgetPeriod, number>>;

/** A request to reserve money. */
export interface ReserveRequest extends Account {
  /** The route; recovered reservations are recorded under this name. */
  route: string;
  /** The day to which the money belongs. */
  day: string;
  /** In nanodollars, more than 0. */
  amount: number;
  /** The budgets that apply, in the order in which a refusal names them. */
  budgets: readonly ScopeBudget[];
}

/** Money that is reserved until it is spent or released. */
export interface LedgerReservation {
  /** Unique among the open reservations of all processes that share the ledger. */
  readonly id: number;
  /** The request that it was made for. */
  readonly request: ReserveRequest;
  /** What is still reserved. The ledger changes it. */
  amount: number;
}

/** The budget that does not allow a reservation. */
export interface Shortage {
  /** The scope with the budget. */
  scope: string;
  /** The period of the budget. */
  period: BudgetPeriod;
  /** The budget, in nanodollars. */
  limit: number;
  /** What was spent in the period. */
  spent: number;
  /** What other requests have reserved. They may turn out cheaper, unless `isFinal`. */
  reserved: number;
  /** Whether the amount does not fit, whatever becomes of the reservations. */
  isFinal: boolean;
}

/** The result of {@link Ledger.reserve}. */
export type ReserveOutcome =
  | { reservation: LedgerReservation; shortage?: undefined }
  | { reservation?: undefined; shortage: Shortage };

/** Counts of requests, tokens and money. */
export interface SpendCounts {
  /** Answered requests. */
  requests: number;
  /** Answers without a known price. */
  unpriced: number;
  /** Input tokens. */
  promptTokens: number;
  /** The part of `promptTokens` read from prompt caches. */
  cachedTokens: number;
  /** The part of `promptTokens` written to prompt caches. */
  cacheWriteTokens: number;
  /** Output tokens. */
  completionTokens: number;
  /** The part of `completionTokens` spent on thinking. */
  reasoningTokens: number;
  /** In nanodollars. */
  cost: number;
}

/** Spending of one day; with an empty `day`, of all days before the oldest one. */
export interface SpendRow extends Account, SpendCounts {
  /** The day in UTC, such as `2026-11-28`. */
  day: string;
  /** The model as the server names it; of a recovered reservation, the route. */
  model: string;
  /** The base URL of the server; empty for a recovered reservation. */
  endpoint: string;
}

/** Selects spending. */
export interface SpendFilter {
  /** The first day. */
  from?: string;
  /** The id of a key. */
  key?: string;
}

/** The spending of one scope, in nanodollars. */
export interface BalanceState {
  /** What was spent in the period that contains the day. */
  spent: Readonly<Record<BudgetPeriod, number>>;
  /** What is reserved in that period. */
  reserved: Readonly<Record<BudgetPeriod, number>>;
  /** Answered requests of the day. */
  requests: number;
}

/** A store of keys and spending. */
export interface Ledger extends KeyTable {
  /** The path or the address; `undefined` for memory. */
  readonly location?: string;
  /** Reservations of a process that was killed. They were recorded as spent when the ledger was opened. */
  readonly recovered: { requests: number; cost: number };
  /**
   * Reserves an amount in the account's key, its team and the whole gateway in one step: all of them, or
   * nothing. The reservation survives a kill of the process as soon as this resolves.
   *
   * @throws {GatewayError} if it cannot be stored
   */
  reserve(request: ReserveRequest): Promise<ReserveOutcome>;
  /**
   * Adds to the spending. With a reservation, `remaining` of it stay reserved; both are stored in one step.
   * Never throws: the ledger retries until it can write.
   */
  commit(row: SpendRow, reservation?: LedgerReservation, remaining?: number): void;
  /** Releases what is left of a reservation. Never throws. */
  release(reservation: LedgerReservation): void;
  /**
   * Reports what other processes do: calls `onRelease` with the scopes of which money has become free, so that
   * calls that wait for it try again. Only a ledger that several gateways share needs it.
   */
  watch?(onRelease: (scopes: readonly string[]) => void): void;
  /**
   * The balance of a scope on `day`, as far as this process knows it. What it reports as spent must be spent:
   * calls that it leaves no money for are refused without another {@link Ledger.reserve}.
   */
  balance(scope: string, day: string): BalanceState;
  /** Resolves when everything so far is stored, or could not be. */
  flush(): Promise<void>;
  /** Stores what is pending and closes the ledger. */
  close(): Promise<void>;
}
