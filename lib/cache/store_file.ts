/**
 * Creates and measures the file of a store.
 *
 * @module
 */
import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/**
 * Creates the file at `path` and its folder if they do not exist, accessible to their owner only.
 *
 * @throws an error of the file system
 */
export function createStoreFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    // Never opens an existing file: closing it would drop the locks that SQLite holds on it.
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/** The size of a database in bytes, including its write-ahead log. */
export function storeFileBytes(path: string): number {
  const sizes = [path, `${path}-wal`].map((file) =>
    statSync(file, { throwIfNoEntry: false })?.size
  );
  return sizes.reduce<number>((sum, size = 0) => sum + size, 0);
}

/** Whether the location of a store is a KV Connect server. */
export function isKvServer(location: string): boolean {
  return /^https?:\/\//i.test(location);
}

/** Whether the location of a store is a Redis server. */
export function isRedisServer(location: string): boolean {
  return /^rediss?:\/\//i.test(location);
}

/** Whether the location of a store is a server. */
export function isRemote(location: string): boolean {
  return isKvServer(location) || isRedisServer(location);
}
