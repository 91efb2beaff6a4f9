/**
 * Writes bytes completely: the system may write only a part of them at once.
 *
 * @module
 */
import { writeSync } from "node:fs";

/**
 * Writes all of `bytes` to an open file.
 *
 * @throws a file system error
 */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(fd, bytes, written);
  }
}
