/**
 * Checks that an open result file is still the one at its path, and that its lock is still ours.
 *
 * @module
 */
import { fstatSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { JournalError } from "../../errors.ts";
import { SYNC_INTERVAL } from "./append_file.ts";
import { copyFile } from "./copy_file.ts";
import type { JournalFile } from "./open_file.ts";
import { fileProblem } from "./output_file.ts";

/** The path at which results are saved if the result file at `path` is replaced while a batch runs. */
export function rescuePath(path: string): string {
  return `${path}.rescued`;
}

/** Detects within about a second that the file was moved or its lock was taken. */
export class FileGuard {
  readonly #file: JournalFile;
  #lastCheck = -Infinity;

  /** The first check is due immediately. */
  constructor(file: JournalFile) {
    this.#file = file;
  }

  /** Whether the last check is more than a second old. */
  isCheckDue(): boolean {
    return performance.now() - this.#lastCheck >= SYNC_INTERVAL;
  }

  /** Makes a check due, after another program touched the file. */
  checkSoon(): void {
    this.#lastCheck = -Infinity;
  }

  /**
   * Checks the file, then the lock.
   *
   * @throws {JournalError} if one of them is no longer ours. All results are saved; the message says where.
   */
  check(): void {
    this.#checkFile();
    this.checkLock();
    // Set last, so that every write checks again after a failed check.
    this.#lastCheck = performance.now();
  }

  /**
   * Checks the lock.
   *
   * @throws {JournalError} if another process holds it, after the lock file was removed
   */
  checkLock(): void {
    const { lock, name } = this.#file;
    if (lock === undefined || lock.isHeld()) return;
    this.#checkFile();
    throw new JournalError(
      `${name}.lock was removed, and another process is writing ${name} now`,
      { hint: `All answers so far are in ${name}, and the other process has read them.` },
    );
  }

  /** Saves all results if the file was moved or removed: its descriptor can still read them. */
  #checkFile(): void {
    const { path, name, fd } = this.#file;
    const current = statSync(path, { throwIfNoEntry: false });
    if (current?.ino === fstatSync(fd).ino) return;
    const saved = current === undefined ? path : rescuePath(path);
    try {
      // The folder may have been removed as well.
      mkdirSync(dirname(saved), { recursive: true });
      copyFile(fd, saved);
    } catch (error) {
      throw fileProblem(error, saved);
    }
    throw new JournalError(`${name} was moved, removed or replaced while the batch ran`, {
      hint: `All answers so far are in ${saved}. Run the same command again: it reads them from ` +
        "there and sends only the missing records.",
    });
  }
}
