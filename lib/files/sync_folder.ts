/**
 * Makes new, renamed and deleted names in a folder survive a power failure.
 *
 * @module
 */
import { closeSync, fsyncSync, openSync } from "node:fs";

/** Syncs the folder at `path` to disk, on systems that can. */
export function syncFolder(path: string): void {
  try {
    const fd = openSync(path, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Windows cannot. Either the old name or the new one survives.
  }
}
