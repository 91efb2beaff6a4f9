/**
 * The place of a store: its file, or the URL of a server.
 *
 * @module
 */
import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/**
 * Makes the file at `path` and its folder, for their owner only, when they are not there: answers are
 * nobody else's business.
 *
 * @throws an error of the file system
 */
export function createStoreFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    // Never opens a file that is there: closing it again would drop the locks that SQLite has on it.
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/** The bytes of a database and what is written beside it before it goes in. */
export function storeFileBytes(path: string): number {
  const sizes = [path, `${path}-wal`].map((file) =>
    statSync(file, { throwIfNoEntry: false })?.size
  );
  return sizes.reduce<number>((sum, size = 0) => sum + size, 0);
}

/** Whether the place of a store is a server. */
export function isUrl(location: string): boolean {
  return /^https?:\/\//i.test(location);
}
