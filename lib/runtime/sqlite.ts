/**
 * Loads the runtime's SQLite, and has what all databases need. It is loaded on demand, since most commands need no
 * file.
 *
 * @module
 */
import { isBuiltin } from "node:module";
import type { DatabaseSync } from "node:sqlite";
import { ConfigurationError } from "../errors.ts";
import { runtimeName } from "./runtime.ts";

/**
 * Loads the constructor of databases.
 *
 * @throws {ConfigurationError} if the runtime is too old to have it
 */
export async function loadSqlite(isAvailable = isBuiltin): Promise<typeof DatabaseSync> {
  if (!isAvailable("node:sqlite")) {
    throw new ConfigurationError(`${runtimeName()} has no SQLite`, {
      hint: "Result files, chats and the cache need Node 22.13, Bun 1.4, or a later version.",
    });
  }
  return (await import("node:sqlite")).DatabaseSync;
}

/** The value of a pragma. */
export function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** Whether a database has no tables yet. */
export function isEmptyDatabase(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_master LIMIT 1").get() === undefined;
}

/** Runs `work` in a write transaction. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    try {
      database.exec("ROLLBACK");
    } catch {
      // On a full disk, SQLite has already rolled back.
    }
    throw error;
  }
}
