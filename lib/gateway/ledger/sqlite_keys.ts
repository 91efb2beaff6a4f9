/**
 * Virtual keys and sums of spending in an SQLite file. Several processes can use it at once.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { KeyLimits } from "../key_limits.ts";
import { changedKeys } from "./changed_keys.ts";
import type { SpendTotals } from "./balances.ts";
import type { KeyChange, KeyTable, SpendFilter, SpendRow, StoredKey } from "./ledger.ts";
import { ledgerError } from "./ledger_error.ts";
import { monthOf } from "./periods.ts";
import { transaction } from "../../runtime/sqlite.ts";
import { whileLocked } from "./sqlite_file.ts";
import { sumOf } from "./stored_number.ts";

/** How long keys are used before looking for changes of other processes, in milliseconds. */
const CHECK_INTERVAL = 1000;

/** A row of `keys`. */
interface KeyRow {
  id: string;
  name: string;
  prefix: string;
  hash: string;
  old_hash: string | null;
  old_until: number | null;
  team: string | null;
  models: string | null;
  limits: string;
  created: number;
  expires: number | null;
  disabled: number | null;
}

function keyOf(row: KeyRow): StoredKey {
  const key: StoredKey = {
    ...(JSON.parse(row.limits) as KeyLimits),
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    hash: row.hash,
    createdAt: row.created,
  };
  if (row.old_hash !== null) key.oldHash = row.old_hash;
  if (row.old_until !== null) key.oldUntil = row.old_until;
  if (row.team !== null) key.team = row.team;
  if (row.models !== null) key.models = JSON.parse(row.models);
  if (row.expires !== null) key.expiresAt = row.expires;
  if (row.disabled !== null) key.disabledAt = row.disabled;
  return key;
}

/** The values of a row of `keys`, in the order of its columns. */
function valuesOf(key: StoredKey): (string | number | null)[] {
  const { rpm, tpm, concurrent, budget } = key;
  return [
    key.id,
    key.name,
    key.prefix,
    key.hash,
    key.oldHash ?? null,
    key.oldUntil ?? null,
    key.team ?? null,
    key.models === undefined ? null : JSON.stringify(key.models),
    JSON.stringify({ rpm, tpm, concurrent, budget }),
    key.createdAt,
    key.expiresAt ?? null,
    key.disabledAt ?? null,
  ];
}

/** The keys of an open database. */
export class SqliteKeys implements KeyTable {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #version: StatementSync;
  #keys: readonly StoredKey[];
  #loadedVersion: number;
  #checkedAt = performance.now();

  /** Loads the keys of `database`, which is the file at `path`. */
  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
    this.#version = database.prepare("PRAGMA data_version");
    this.#loadedVersion = this.#dataVersion();
    this.#keys = this.#load();
  }

  currentKeys(fresh = false): readonly StoredKey[] {
    const now = performance.now();
    if (!fresh && now - this.#checkedAt < CHECK_INTERVAL) return this.#keys;
    this.#checkedAt = now;
    try {
      const version = this.#dataVersion();
      if (version !== this.#loadedVersion) {
        this.#keys = this.#load();
        this.#loadedVersion = version;
      }
    } catch {
      // Locked or damaged: the keys that are known stay valid, and the next check may succeed.
    }
    return this.#keys;
  }

  async changeKeys(decide: (keys: readonly StoredKey[]) => KeyChange): Promise<void> {
    try {
      await whileLocked(() =>
        transaction(this.#database, () => {
          const keys = this.#load();
          const change = decide(keys);
          const changed = changedKeys(keys, change);
          this.#apply(change);
          return changed;
        })
      ).then((keys) => this.#keys = keys);
    } catch (error) {
      throw ledgerError(error, this.#path);
    }
  }

  async spend({ from, key }: SpendFilter = {}): Promise<SpendRow[]> {
    try {
      return await whileLocked(() =>
        this.#database.prepare(`
          SELECT day, key, team, model, endpoint, requests, unpriced, prompt_tokens AS promptTokens,
            cached_tokens AS cachedTokens, cache_write_tokens AS cacheWriteTokens,
            completion_tokens AS completionTokens, reasoning_tokens AS reasoningTokens, cost
          FROM spend WHERE day >= ? AND (?2 IS NULL OR key = ?2) ORDER BY day, key, cost DESC
        `).all(from ?? "", key ?? null).map((row) => ({ ...row })) as unknown as SpendRow[]
      );
    } catch (error) {
      throw ledgerError(error, this.#path);
    }
  }

  /** Spending by key and team. With `reservations`, open ones count as spent. */
  totals(day: string, reservations: boolean): SpendTotals[] {
    const rows = reservations
      ? "SELECT day, key, team, requests, cost FROM spend UNION ALL SELECT day, key, team, 0, cost FROM reservations"
      : "SELECT day, key, team, requests, cost FROM spend";
    return this.#database.prepare(`
      SELECT key, team, ${sumOf("cost")} AS total,
        coalesce(${sumOf("cost", " FILTER (WHERE day >= ?2)")}, 0) AS month,
        coalesce(${sumOf("cost", " FILTER (WHERE day = ?1)")}, 0) AS day,
        coalesce(sum(requests) FILTER (WHERE day = ?1), 0) AS requests
      FROM (${rows}) GROUP BY key, team
    `).all(day, `${monthOf(day)}-01`) as unknown as SpendTotals[];
  }

  #dataVersion(): number {
    return Number(this.#version.get()?.data_version);
  }

  #load(): readonly StoredKey[] {
    const rows = this.#database.prepare("SELECT * FROM keys ORDER BY name").all();
    return (rows as unknown as KeyRow[]).map(keyOf);
  }

  #apply({ put, remove }: KeyChange): void {
    if (remove !== undefined) this.#database.prepare("DELETE FROM keys WHERE id = ?").run(remove);
    if (put === undefined) return;
    this.#database.prepare(
      "INSERT OR REPLACE INTO keys (id, name, prefix, hash, old_hash, old_until, team, models, limits, " +
        "created, expires, disabled) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ).run(...valuesOf(put));
  }
}
