/**
 * Checks a file before Deno KV opens it.
 *
 * Deno KV creates its tables in any database, blocks the whole process for up to five seconds to wait for a
 * lock, and panics if the tables that it reads first are damaged.
 *
 * Source: denokv, `sqlite/lib.rs` (`sqlite_thread`) and `sqlite/backend.rs`.
 *
 * @module
 */
import { statSync } from "node:fs";
import { CacheError } from "../../errors.ts";
import { whileBusy } from "../store_timeout.ts";

/** The queries that Deno KV runs when it opens a file. If one fails, it panics. */
const FIRST_READS = [
  "SELECT version FROM data_version WHERE k = 0",
  "SELECT version FROM migration_state WHERE k = 0",
  "SELECT id FROM queue_running ORDER BY deadline LIMIT 1",
  "SELECT ts FROM queue ORDER BY ts LIMIT 1",
  "SELECT expiration_ms FROM kv WHERE expiration_ms >= 0 ORDER BY expiration_ms LIMIT 1",
];

/**
 * Checks that Deno KV can open the file at `path`. Waits up to `timeout` milliseconds for a lock.
 *
 * @throws {CacheError} if it is another database
 * @throws an error of SQLite
 */
export async function checkKvFile(path: string, timeout: number): Promise<void> {
  if (statSync(path).size === 0) return;
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(path);
  try {
    await whileBusy(() => {
      const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
      if (tables.length === 0) return;
      if (!tables.some(({ name }) => name === "migration_state")) {
        throw new CacheError(`${path} is a database, but not of Deno KV`);
      }
      database.exec("BEGIN IMMEDIATE");
      try {
        for (const query of FIRST_READS) database.prepare(query).get();
      } finally {
        database.exec("ROLLBACK");
      }
    }, timeout);
  } finally {
    database.close();
  }
}
