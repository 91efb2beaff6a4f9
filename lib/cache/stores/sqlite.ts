/**
 * A cache store in an SQLite file, which every runtime supports.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { CacheError } from "../../errors.ts";
import { isEmptyDatabase, loadSqlite, pragma, transaction } from "../../runtime/sqlite.ts";
import { pack, unpack } from "../packing.ts";
import { isBusy, STORE_TIMEOUT, whileBusy } from "../store_timeout.ts";
import {
  type ClearFilter,
  FORMAT,
  type KeyedEntry,
  type ManagedStore,
  type StoredEntry,
  type StoreStats,
} from "../store.ts";
import { createStoreFile, storeFileBytes } from "../store_file.ts";
import { StatsCounter } from "../store_stats.ts";

/** "flex", in the header of our files. */
const APPLICATION_ID = 0x666c6578;

/** How long SQLite itself waits for a lock, in milliseconds. This blocks the process. */
const BUSY_TIMEOUT = 20;

/** Writes happen in the background, so they can wait longer for a lock. */
const WRITE_TIMEOUT = 10 * STORE_TIMEOUT;

// Rows are in insertion order, with a small index over the keys. A table clustered by its random keys is
// four times slower to write and, with rows above a quarter of a page, three times as large.
const SCHEMA = `
  CREATE TABLE entries (
    key TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    model TEXT NOT NULL,
    value BLOB NOT NULL
  ) STRICT;
  CREATE TABLE hits (model TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`;

/** Checks that the file is ours before changing it, and creates the tables of a new file. */
function prepareFile(database: DatabaseSync, path: string): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
  if (!isEmptyDatabase(database)) {
    if (pragma(database, "application_id") !== APPLICATION_ID) {
      throw new CacheError(`${path} is a database, but not a cache of flexllm for SQLite`);
    }
    const format = pragma(database, "user_version");
    if (format !== FORMAT) {
      throw new CacheError(
        `${path} was written by another version of flexllm (format ${format}, expected ${FORMAT})`,
      );
    }
  }
  // Applies to new files only. Answers of a few kilobytes would waste half of a small page.
  database.exec("PRAGMA page_size = 16384");
  database.exec("PRAGMA journal_mode = WAL");
  // A power failure can lose the last answers but not damage the file.
  database.exec("PRAGMA synchronous = NORMAL");
  if (!isEmptyDatabase(database)) return;
  transaction(database, () => {
    // Another process may have created them in the meantime.
    if (isEmptyDatabase(database)) database.exec(SCHEMA);
  });
}

/** A row of `entries`. */
interface Row {
  value: Uint8Array;
  created: number;
  model: string;
}

/** A store in an SQLite file; see {@link openSqliteStore}. */
export class SqliteStore implements ManagedStore {
  readonly kind = "sqlite";
  readonly location: string;
  readonly #database: DatabaseSync;
  readonly #timeout: number;
  readonly #get: StatementSync;
  readonly #set: StatementSync;
  readonly #addHits: StatementSync;

  constructor(database: DatabaseSync, path: string, timeout: number) {
    this.#database = database;
    this.location = path;
    this.#timeout = timeout;
    this.#get = database.prepare("SELECT value, created, model FROM entries WHERE key = ?");
    this.#set = database.prepare(
      "INSERT OR REPLACE INTO entries (key, created, model, value) VALUES (?, ?, ?, ?)",
    );
    this.#addHits = database.prepare(
      "INSERT INTO hits VALUES (?1, ?2) ON CONFLICT (model) DO UPDATE SET count = count + ?2",
    );
  }

  async getMany(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    return await whileBusy(() => this.#readAll(keys), this.#timeout);
  }

  getNow(key: string): StoredEntry | undefined {
    return this.#read(key);
  }

  async setMany(entries: readonly KeyedEntry[]): Promise<void> {
    const rows = entries.map(({ key, created, model, value }) =>
      [key, created, model, pack(value)] as const
    );
    await this.#write(() => {
      for (const row of rows) this.#set.run(...row);
    });
  }

  async addHits(hits: ReadonlyMap<string, number>): Promise<void> {
    await this.#write(() => {
      for (const [model, count] of hits) this.#addHits.run(model, count);
    });
  }

  async stats(): Promise<StoreStats> {
    return await whileBusy(() => {
      const counter = new StatsCounter();
      const groups = this.#database.prepare(
        "SELECT model, count(*) AS entries, sum(length(value)) AS bytes, " +
          "min(created) AS oldest, max(created) AS newest FROM entries GROUP BY model",
      ).all();
      for (const { model, entries, bytes, oldest, newest } of groups) {
        counter.add(
          String(model),
          Number(entries),
          Number(bytes),
          Number(oldest),
          Number(newest),
        );
      }
      for (const { model, count } of this.#database.prepare("SELECT * FROM hits").all()) {
        counter.addHits(String(model), Number(count));
      }
      return counter.result(this, storeFileBytes(this.location));
    }, this.#timeout);
  }

  async clear({ model, before }: ClearFilter = {}): Promise<number> {
    const removed = await this.#write(() => {
      const { changes } = this.#database.prepare(
        "DELETE FROM entries WHERE (?1 IS NULL OR model = ?1) AND (?2 IS NULL OR created < ?2)",
      ).run(model ?? null, before ?? null);
      if (before === undefined) {
        this.#database.prepare("DELETE FROM hits WHERE ?1 IS NULL OR model = ?1").run(
          model ?? null,
        );
      }
      return Number(changes);
    });
    this.#compact();
    return removed;
  }

  async prune({ before }: { before: number }): Promise<number> {
    return await this.clear({ before });
  }

  close(): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }

  #readAll(keys: readonly string[]): (StoredEntry | undefined)[] {
    if (keys.length === 1) return [this.#read(keys[0])];
    // One transaction: otherwise each read locks and unlocks the file, which takes as long as the read.
    this.#database.exec("BEGIN");
    try {
      return keys.map((key) => this.#read(key));
    } finally {
      this.#database.exec("COMMIT");
    }
  }

  #read(key: string): StoredEntry | undefined {
    const row = this.#get.get(key) as Row | undefined;
    if (row === undefined) return undefined;
    const value = unpack(row.value);
    return value === undefined ? undefined : { value, created: row.created, model: row.model };
  }

  #write<T>(work: () => T): Promise<T> {
    const timeout = Math.max(this.#timeout, WRITE_TIMEOUT);
    return whileBusy(() => transaction(this.#database, work), timeout);
  }

  /** Reclaims the disk space of removed entries if it is a quarter of the file. */
  #compact(): void {
    const free = Number(pragma(this.#database, "freelist_count"));
    if (free * 4 < Number(pragma(this.#database, "page_count"))) return;
    try {
      this.#database.exec("VACUUM");
      this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      // Another process uses the file; new entries will reuse the space.
      if (!isBusy(error)) throw error;
    }
  }
}

/**
 * Opens the store at `path`, creating it if necessary. Waits up to `timeout` milliseconds for another
 * process's lock.
 *
 * @throws {CacheError} if the file is not a cache of this version
 * @throws {ConfigurationError} if the runtime has no SQLite
 * @throws an error of SQLite or the file system
 */
export async function openSqliteStore(path: string, timeout = STORE_TIMEOUT): Promise<SqliteStore> {
  const DatabaseSync = await loadSqlite();
  createStoreFile(path);
  const database = new DatabaseSync(path);
  try {
    return await whileBusy(() => {
      prepareFile(database, path);
      return new SqliteStore(database, path, timeout);
    }, timeout);
  } catch (error) {
    database.close();
    throw error;
  }
}
