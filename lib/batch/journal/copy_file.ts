/**
 * Replaces a result file with a new version, atomically and durably.
 *
 * @module
 */
import { closeSync, fchmodSync, fstatSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { syncFolder } from "../../files/sync_folder.ts";
import { writeAll } from "../../files/write_all.ts";
import { readAt } from "./append_file.ts";

/** Bytes that are copied at once. */
const CHUNK_SIZE = 1 << 20;

/**
 * Replaces the file at `path` with what `write` writes to a temporary file.
 *
 * @param mode the permissions of the new file
 * @throws what `write` throws, or a file system error; then the file is unchanged
 */
export function replaceWith(path: string, mode: number, write: (target: number) => void): void {
  // A fixed name: we hold the lock, so an existing file can only be from a killed process.
  const temporary = `${path}.tmp`;
  let target: number | undefined;
  try {
    target = openSync(temporary, "w");
    fchmodSync(target, mode & 0o777);
    write(target);
    fsyncSync(target);
    closeSync(target);
    target = undefined;
    renameSync(temporary, path);
  } catch (error) {
    if (target !== undefined) closeSync(target);
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/**
 * Copies the open file `fd`, which may no longer have a name, to `path`.
 *
 * @throws a file system error
 */
export function copyFile(fd: number, path: string): void {
  const { mode, size } = fstatSync(fd);
  replaceWith(path, mode, (target) => {
    for (let at = 0; at < size; at += CHUNK_SIZE) writeAll(target, readAt(fd, at, CHUNK_SIZE));
  });
}
