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

/** A lock that is held. */
export interface FileLock {
  /** Lets go of the lock and removes its file. */
  release(): void;
}

function inode(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/**
 * Takes the lock whose file is `path`; `undefined` when another process, or this one, holds it.
 *
 * @throws an error of the file system when the lock's file cannot be made
 */
export async function tryLock(path: string): Promise<FileLock | undefined> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(path);
  const opened = inode(path);
  try {
    // Nothing is ever written, so no journal file is wanted either.
    database.exec("PRAGMA journal_mode = MEMORY");
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (/locked|busy/i.test(String(error))) return undefined;
    throw error;
  }
  if (opened === undefined || inode(path) !== opened) {
    // The holder before us removed the file between our opening and our locking it.
    database.close();
    return tryLock(path);
  }
  return {
    release() {
      // Removed while it is held, so that nobody can lock a file that is about to go.
      try {
        rmSync(path, { force: true });
      } catch {
        // Windows does not remove an open file; an empty file that stays does no harm.
      }
      database.close();
    },
  };
}
