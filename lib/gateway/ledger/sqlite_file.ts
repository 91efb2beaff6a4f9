/**
 * Opens the database file of a ledger and creates its tables.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout } from "node:timers";
import type { DatabaseSync } from "node:sqlite";
import { ConfigurationError } from "../../errors.ts";
import { isEmptyDatabase, loadSqlite, pragma, transaction } from "../../runtime/sqlite.ts";
import { isBusy, ledgerError } from "./ledger_error.ts";

/** "fxgw", in the header of our files. */
const APPLICATION_ID = 0x66786777;

/** The version of the tables. */
const FORMAT = 1;

/** How long SQLite itself waits for a lock, in milliseconds. This blocks the process. */
const BUSY_TIMEOUT = 20;

/** How long an operation retries while another process has locked the database, in milliseconds. */
const LOCK_TIMEOUT = 5000;

// In `spend`, rows with an empty day sum up all days before the oldest one.
const SCHEMA = `
  CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    hash TEXT NOT NULL,
    old_hash TEXT,
    old_until INTEGER,
    team TEXT,
    models TEXT,
    limits TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    disabled INTEGER
  ) STRICT;
  CREATE TABLE spend (
    day TEXT NOT NULL,
    key TEXT NOT NULL,
    team TEXT NOT NULL,
    model TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    requests INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    PRIMARY KEY (day, key, team, model, endpoint)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE reservations (
    id INTEGER PRIMARY KEY,
    day TEXT NOT NULL,
    key TEXT NOT NULL,
    team TEXT NOT NULL,
    route TEXT NOT NULL,
    cost INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  INSERT INTO meta VALUES ('about', 'Keys and spending of flexllm serve. Costs are in 1e-9 USD.');
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`;

/** Runs `work`, and retries it for some seconds while another process has locked the database. */
export async function whileLocked<T>(work: () => T): Promise<T> {
  const deadline = performance.now() + LOCK_TIMEOUT;
  while (true) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, BUSY_TIMEOUT));
  }
}

/** Checks that the file is ours before changing it, and creates the tables of a new file. */
function prepareFile(database: DatabaseSync, path: string): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
  if (!isEmptyDatabase(database)) {
    if (pragma(database, "application_id") !== APPLICATION_ID) {
      throw new ConfigurationError(`${path} is a database, but not one of flexllm serve`, {
        hint: "Choose another path.",
      });
    }
    const format = Number(pragma(database, "user_version"));
    if (format > FORMAT) {
      throw new ConfigurationError(
        `${path} was written by a newer version of flexllm (format ${format}, expected ${FORMAT})`,
        { hint: "Update flexllm, or choose another path." },
      );
    }
  }
  database.exec("PRAGMA journal_mode = WAL");
  // Survives a kill of the process. A power failure can lose the last moments but not damage the file.
  database.exec("PRAGMA synchronous = NORMAL");
  if (!isEmptyDatabase(database)) return;
  transaction(database, () => {
    // Another process may have created them in the meantime.
    if (isEmptyDatabase(database)) database.exec(SCHEMA);
  });
}

/** Creates the file at `path` and its folder if they do not exist, accessible to their owner only. */
function createFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    // Never opens an existing file: closing it would drop the locks that SQLite holds on it.
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

/**
 * Opens the database at `path`, creating it if necessary.
 *
 * @throws {ConfigurationError} if the file cannot be used, or the runtime has no SQLite
 */
export async function openLedgerFile(path: string): Promise<DatabaseSync> {
  const Database = await loadSqlite();
  let database: DatabaseSync | undefined;
  try {
    createFile(path);
    const opened = database = new Database(path);
    await whileLocked(() => prepareFile(opened, path));
    return opened;
  } catch (error) {
    database?.close();
    throw ledgerError(error, path);
  }
}

/** The id of the file, which it gets when it is opened for the first time. */
export function ledgerId(database: DatabaseSync): string {
  database.prepare("INSERT OR IGNORE INTO meta VALUES ('id', ?)").run(randomUUID());
  const row = database.prepare("SELECT value FROM meta WHERE name = 'id'").get();
  return String(row?.value);
}
