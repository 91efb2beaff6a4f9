/**
 * Creates, lists and changes virtual keys.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { ConfigurationError } from "../../errors.ts";
import { similarName } from "../../similar_name.ts";
import type { VirtualKey } from "../key_limits.ts";
import type { KeyChange, KeyTable, SpendFilter, SpendRow, StoredKey } from "../ledger/ledger.ts";
import { toDollars } from "../ledger/money.ts";
import { checkName, checkSettings, type KeySettings } from "./key_settings.ts";
import { createSecret, hashSecret, shownPrefix } from "./secrets.ts";

/** A key together with its secret, which cannot be read later. */
export interface IssuedKey {
  /** The key without its secret. */
  key: VirtualKey;
  /** What clients send as their API key. Only its hash is stored. */
  secret: string;
}

/** Changes of a key: an absent field stays, `null` removes it. */
export type KeyChanges = { [Field in keyof KeySettings]?: KeySettings[Field] | null } & {
  /** A new name. */
  name?: string;
};

/** What one key spent on one day on one model at one endpoint. */
export interface KeySpending extends Omit<SpendRow, "cost"> {
  /** USD. */
  cost: number;
}

/** A key without what must not leave the store. */
function withoutSecrets(
  { hash: _, oldHash: _old, oldUntil: _until, ...key }: StoredKey,
): VirtualKey {
  return key;
}

function settingsOf(settings: KeySettings): KeySettings {
  const { rpm, tpm, concurrent, budget, team, models, expiresAt } = settings;
  return { rpm, tpm, concurrent, budget, team, models, expiresAt };
}

/**
 * The virtual keys of a gateway. Changes also reach a gateway that is running, within a second.
 *
 * @example
 * ```ts
 * import { openAccess } from "@flexllm/flexllm";
 *
 * await using access = await openAccess({ database: "gateway.db" });
 * const { secret } = await access.keys.rotate("alice", 3600);
 * console.log(secret);
 * ```
 */
export class KeyStore {
  readonly #table: KeyTable;
  readonly #now: () => number;

  /** Creates a store over a table of keys; `now` is in milliseconds since 1970. */
  constructor(table: KeyTable, now: () => number = Date.now) {
    this.#table = table;
    this.#now = now;
  }

  /** All keys, sorted by name. */
  list(): VirtualKey[] {
    return this.#table.currentKeys(true).map(withoutSecrets);
  }

  /**
   * Creates a key.
   *
   * @throws {ConfigurationError} if the name is taken, or a setting is wrong
   */
  async create(name: string, settings: KeySettings = {}): Promise<IssuedKey> {
    checkName("key", name);
    checkSettings(settings);
    const secret = createSecret();
    const key = clean({
      ...settingsOf(settings),
      id: randomUUID(),
      name,
      prefix: shownPrefix(secret),
      hash: hashSecret(secret),
      createdAt: this.#now(),
    });
    await this.#table.changeKeys(() => ({ put: key }));
    return { key: withoutSecrets(key), secret };
  }

  /**
   * Changes the name or the settings of a key.
   *
   * @throws {ConfigurationError} if there is no such key, or a change is wrong
   */
  update(name: string, changes: KeyChanges): Promise<VirtualKey> {
    return this.#change(name, (key) => {
      const changed: Record<string, unknown> = { ...key };
      for (const [field, value] of Object.entries(changes)) {
        if (value !== undefined) changed[field] = value ?? undefined;
      }
      const result = changed as unknown as StoredKey;
      checkName("key", result.name);
      checkSettings(result);
      return result;
    });
  }

  /**
   * Refuses the key from now on.
   *
   * @throws {ConfigurationError} if there is no such key
   */
  disable(name: string): Promise<VirtualKey> {
    return this.#change(name, (key) => ({ ...key, disabledAt: key.disabledAt ?? this.#now() }));
  }

  /**
   * Accepts a disabled key again.
   *
   * @throws {ConfigurationError} if there is no such key
   */
  enable(name: string): Promise<VirtualKey> {
    return this.#change(name, (key) => ({ ...key, disabledAt: undefined }));
  }

  /**
   * Gives a key a new secret. The old one works for another `grace` seconds.
   *
   * @throws {ConfigurationError} if there is no such key
   */
  async rotate(name: string, grace = 0): Promise<IssuedKey> {
    const secret = createSecret();
    const key = await this.#change(name, (key) => ({
      ...key,
      prefix: shownPrefix(secret),
      hash: hashSecret(secret),
      oldHash: grace > 0 ? key.hash : undefined,
      oldUntil: grace > 0 ? this.#now() + grace * 1000 : undefined,
    }));
    return { key, secret };
  }

  /**
   * Deletes a key. What it spent still counts for its team and the gateway.
   *
   * @throws {ConfigurationError} if there is no such key
   */
  async delete(name: string): Promise<VirtualKey> {
    let deleted: StoredKey | undefined;
    await this.#table.changeKeys((keys): KeyChange => {
      deleted = find(keys, name);
      return { remove: deleted.id };
    });
    return withoutSecrets(deleted!);
  }

  /** What was spent, by day, key, model and endpoint. */
  async spending(filter?: SpendFilter): Promise<KeySpending[]> {
    const rows = await this.#table.spend(filter);
    return rows.map((row) => ({ ...row, cost: toDollars(row.cost) }));
  }

  async #change(name: string, change: (key: StoredKey) => StoredKey): Promise<VirtualKey> {
    let changed: StoredKey | undefined;
    await this.#table.changeKeys((keys) => {
      changed = clean(change(find(keys, name)));
      return { put: changed };
    });
    return withoutSecrets(changed!);
  }
}

/** Leaves out fields without a value. */
function clean(key: StoredKey): StoredKey {
  const entries = Object.entries(key).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as unknown as StoredKey;
}

function find(keys: readonly StoredKey[], name: string): StoredKey {
  const key = keys.find((key) => key.name === name);
  if (key !== undefined) return key;
  const similar = similarName(name, keys.map((key) => key.name));
  throw new ConfigurationError(`there is no key named ${JSON.stringify(name)}`, {
    hint: similar === undefined ? undefined : `Did you mean ${JSON.stringify(similar)}?`,
  });
}
