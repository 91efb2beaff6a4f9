/**
 * Keeps the callers of a gateway up to date with the stored keys and the configured limits.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { KeyLimits } from "../key_limits.ts";
import { ALL_SCOPE, keyScope, type StoredKey, teamScope } from "../ledger/ledger.ts";
import { CallerAccount } from "./account.ts";
import { LimitScope } from "./limit_scope.ts";
import type { RateSource } from "./rate_bucket.ts";

/** Limits from the configuration. */
export interface ConfiguredLimits {
  /** Limits of teams, by name. */
  teams?: Readonly<Record<string, KeyLimits>>;
  /** Limits of the whole gateway. */
  limits?: KeyLimits;
}

/** A key and the caller that it identifies. */
export interface KnownKey {
  key: StoredKey;
  caller: CallerAccount;
  /** The hash by which it was found, in bytes. */
  hash: Uint8Array;
  /** When this hash stops being valid, in milliseconds since 1970. */
  until: number;
}

function scopeIn(
  scopes: Map<string, LimitScope>,
  kind: "key" | "team",
  id: string,
  name: string,
  rates: RateSource | undefined,
): LimitScope {
  let scope = scopes.get(id);
  if (scope === undefined) scopes.set(id, scope = new LimitScope(kind, id, name, rates));
  scope.name = name;
  return scope;
}

/** The callers, by the hashes of their secrets. What is in use of their limits survives every change. */
export class Accounts {
  readonly all: LimitScope;
  /** The caller without a key. */
  anonymous: CallerAccount;
  readonly #rates: RateSource | undefined;
  #keys: readonly StoredKey[] = [];
  #teams: Readonly<Record<string, KeyLimits>> = {};
  #byHash = new Map<string, KnownKey>();
  #keyScopes = new Map<string, LimitScope>();
  readonly #teamScopes = new Map<string, LimitScope>();

  /** @param rates the limits that are shared with other gateways; by default none */
  constructor(rates?: RateSource) {
    this.#rates = rates;
    this.all = new LimitScope("all", ALL_SCOPE, "", rates);
    this.anonymous = new CallerAccount(undefined, [this.all]);
  }

  /** The current keys. */
  get keys(): readonly StoredKey[] {
    return this.#keys;
  }

  /** The scopes of keys, teams and the whole gateway. */
  get scopes(): LimitScope[] {
    return [...this.#keyScopes.values(), ...this.#teamScopes.values(), this.all];
  }

  /** Finds a key by the hash of a secret. */
  find(hash: string): KnownKey | undefined {
    return this.#byHash.get(hash);
  }

  /** Changes the limits of teams and of the whole gateway. */
  configure({ teams = {}, limits = {} }: ConfiguredLimits, now: number): void {
    this.#teams = teams;
    this.all.setLimits(limits, now);
    for (const name of Object.keys(teams)) {
      scopeIn(this.#teamScopes, "team", teamScope(name), name, this.#rates);
    }
    for (const scope of this.#teamScopes.values()) {
      scope.setLimits(Object.hasOwn(teams, scope.name) ? teams[scope.name] : {}, now);
    }
    this.update(this.#keys, now);
  }

  /** Takes over changed keys. */
  update(keys: readonly StoredKey[], now: number): void {
    this.#keys = keys;
    this.#byHash = new Map();
    const scopes = new Map<string, LimitScope>();
    for (const key of keys) {
      const id = keyScope(key.id);
      const before = this.#keyScopes.get(id);
      if (before !== undefined) scopes.set(id, before);
      const scope = scopeIn(scopes, "key", id, key.name, this.#rates);
      scope.setLimits(key, now);
      const chain = [scope];
      if (key.team !== undefined) chain.push(this.#team(key.team, now));
      const caller = new CallerAccount(key, [...chain, this.all]);
      this.#add(key, caller, key.hash, Infinity);
      if (key.oldHash !== undefined) this.#add(key, caller, key.oldHash, key.oldUntil ?? 0);
    }
    this.#keyScopes = scopes;
    this.anonymous = new CallerAccount(undefined, [this.all]);
  }

  #add(key: StoredKey, caller: CallerAccount, hash: string, until: number): void {
    this.#byHash.set(hash, { key, caller, hash: Buffer.from(hash, "hex"), until });
  }

  #team(name: string, now: number): LimitScope {
    const id = teamScope(name);
    const scope = this.#teamScopes.get(id);
    if (scope !== undefined) return scope;
    const added = scopeIn(this.#teamScopes, "team", id, name, this.#rates);
    added.setLimits(Object.hasOwn(this.#teams, name) ? this.#teams[name] : {}, now);
    return added;
  }
}
