/**
 * A lock on a file that a dead process does not hold: the operating system's own, taken through
 * SQLite because no runtime but Deno offers it directly.
 *
 * Source: SQLite, "File Locking And Concurrency": an exclusive transaction holds an advisory lock
 * that ends with the process.
 *
 * @module
 */
import { rmSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

type Database = typeof DatabaseSync;

/** A lock that is held. */
export interface FileLock {
  /**
   * Whether no other process can hold the lock. If its file was removed, it is made and locked again,
   * unless another process does so first.
   */
  isHeld(): boolean;
  /** Releases the lock and removes its file. */
  release(): void;
}

function inode(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** Locks the file at `path`; `undefined` when it is locked already. */
function lockFile(
  Database: Database,
  path: string,
): { database: DatabaseSync; ino: number } | undefined {
  while (true) {
    const database = new Database(path);
    const ino = inode(path);
    try {
      // Nothing is ever written, so no journal file is needed.
      database.exec("PRAGMA journal_mode = MEMORY");
      database.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      database.close();
      if (/locked|busy/i.test(String(error))) return undefined;
      throw error;
    }
    if (ino !== undefined && inode(path) === ino) return { database, ino };
    // The holder before us removed the file between our opening and our locking it.
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
      // Its folder is gone, so nobody else can lock it there either.
    }
    return true;
  }

  release(): void {
    // Removed while it is held, so that nobody can lock a file that is about to go.
    try {
      if (inode(this.#path) === this.#held.ino) rmSync(this.#path, { force: true });
    } catch {
      // Windows does not remove an open file; an empty file that stays does no harm.
    }
    this.#held.database.close();
  }
}

/**
 * Takes the lock whose file is `path`; `undefined` when another process, or this one, holds it.
 *
 * @throws an error of the file system when the lock's file cannot be made
 */
export async function tryLock(path: string): Promise<FileLock | undefined> {
  const { DatabaseSync } = await import("node:sqlite");
  const held = lockFile(DatabaseSync, path);
  return held && new SqliteLock(DatabaseSync, path, held);
}
