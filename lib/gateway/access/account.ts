/**
 * A caller of the gateway with the limits that apply to it.
 *
 * @module
 */
import type { Caller } from "../access.ts";
import type { Account, ScopeBudget, StoredKey } from "../ledger/ledger.ts";
import { matchesRoute } from "./key_settings.ts";
import type { LimitScope } from "./limit_scope.ts";

/** A virtual key, or everyone at a gateway without keys, with its chain of limits. */
export class CallerAccount implements Caller {
  readonly id: string;
  readonly name: string;
  readonly team: string | undefined;
  readonly isMetered: boolean;
  /** The account in the ledger. */
  readonly account: Account;
  /** The scopes whose limits apply: the key, its team, the whole gateway. */
  readonly scopes: readonly LimitScope[];
  /** The names of those scopes in the ledger. */
  readonly scopeIds: readonly string[];
  /** Their budgets. */
  readonly budgets: readonly ScopeBudget[];
  readonly #models: readonly string[] | undefined;

  /** Creates the account of a key; without one, of everyone. */
  constructor(key: StoredKey | undefined, scopes: readonly LimitScope[]) {
    this.id = key?.id ?? "";
    this.name = key?.name ?? "";
    this.team = key?.team;
    this.account = { key: this.id, team: key?.team ?? "" };
    this.scopes = scopes;
    this.scopeIds = scopes.map(({ id }) => id);
    this.budgets = scopes.flatMap(({ budget }) => budget ?? []);
    this.isMetered = this.budgets.length > 0 || scopes.some(({ tokens }) => tokens !== undefined);
    this.#models = key?.models;
  }

  mayUse(route: string): boolean {
    return matchesRoute(this.#models, route);
  }

  /** The scope with this name in the ledger. */
  scope(id: string): LimitScope {
    return this.scopes.find((scope) => scope.id === id) ?? this.scopes[0];
  }
}
