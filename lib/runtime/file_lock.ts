/**
 * Locks a file until the process ends, with the operating system's advisory lock. It is taken through SQLite,
 * because only Deno has an API for it.
 *
 * Source: SQLite, "File Locking And Concurrency": an exclusive transaction holds an advisory lock.
 *
 * @module
 */
import { rmSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { loadSqlite } from "./sqlite.ts";

type Database = typeof DatabaseSync;

/** A lock held by this process. */
export interface FileLock {
  /**
   * Whether the lock is still ours. If its file was removed, it is created and locked again, unless
   * another process has done so first.
   */
  isHeld(): boolean;
  /** Releases the lock and removes its file. */
  release(): void;
}

function inode(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** Locks the file at `path`; `undefined` if it is already locked. */
function lockFile(
  Database: Database,
  path: string,
): { database: DatabaseSync; ino: number } | undefined {
  while (true) {
    const database = new Database(path);
    const ino = inode(path);
    try {
      // Nothing is ever written, so SQLite needs no journal file.
      database.exec("PRAGMA journal_mode = MEMORY");
      database.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      database.close();
      if (/locked|busy/i.test(String(error))) return undefined;
      throw error;
    }
    if (ino !== undefined && inode(path) === ino) return { database, ino };
    // The previous holder removed the file after we opened it and before we locked it.
    database.close();
  }
}

class SqliteLock implements FileLock {
  readonly #Database: Database;
  readonly #path: string;
  #held: { database: DatabaseSync; ino: number };

  constructor(Database: Database, path: string, held: { database: DatabaseSync; ino: number }) {
    this.#Database = Database;
    this.#path = path;
    this.#held = held;
  }

  isHeld(): boolean {
    const ino = inode(this.#path);
    if (ino === this.#held.ino) return true;
    if (ino !== undefined) return false;
    try {
      const again = lockFile(this.#Database, this.#path);
      if (again === undefined) return false;
      this.#held.database.close();
      this.#held = again;
    } catch {
      // Its folder was removed, so no other process can lock it either.
    }
    return true;
  }

  release(): void {
    // Removed while still locked, so that no other process locks a file that is about to be removed.
    try {
      if (inode(this.#path) === this.#held.ino) rmSync(this.#path, { force: true });
    } catch {
      // Windows does not remove open files. The empty file does no harm.
    }
    this.#held.database.close();
  }
}

/**
 * Locks the file at `path`; `undefined` if another process, or this one, holds the lock.
 *
 * @throws {ConfigurationError} if the runtime has no SQLite
 * @throws a file system error if the lock file cannot be created
 */
export async function tryLock(path: string): Promise<FileLock | undefined> {
  const DatabaseSync = await loadSqlite();
  const held = lockFile(DatabaseSync, path);
  return held && new SqliteLock(DatabaseSync, path, held);
}
