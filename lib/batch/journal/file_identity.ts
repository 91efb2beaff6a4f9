/**
 * Checks that an open result file is still the one at its path, and still ours.
 *
 * @module
 */
import { fstatSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { JournalError } from "../../errors.ts";
import { SYNC_INTERVAL } from "./append_file.ts";
import type { FileLock } from "../../runtime/file_lock.ts";
import { copyWhole } from "./compact.ts";
import { fileProblem } from "./output_file.ts";
import { rescuedPath } from "./rescued_file.ts";

/** An open result file. */
export interface OpenFile {
  path: string;
  /** The path as the user named it. */
  name: string;
  fd: number;
  /** None when the file is open for reading only. */
  lock: FileLock | undefined;
}

/** Checks, once a second, that the file and its lock have not been taken away. */
export class FileIdentity {
  readonly #file: OpenFile;
  #lastCheck = -Infinity;

  /** Nothing has been checked yet. */
  constructor(file: OpenFile) {
    this.#file = file;
  }

  /** Whether the last check was more than a second ago. */
  isCheckDue(): boolean {
    return performance.now() - this.#lastCheck >= SYNC_INTERVAL;
  }

  /** Makes a check due, after something happened to the file. */
  checkSoon(): void {
    this.#lastCheck = -Infinity;
  }

  /** Checks the file, then the lock; throws {@link JournalError} when one is no longer ours. */
  check(): void {
    this.#checkFile();
    this.checkLock();
    // Not before: after a failed check, every write checks again.
    this.#lastCheck = performance.now();
  }

  /** Throws when another process has the lock, which it can only have after its file was removed. */
  checkLock(): void {
    const { lock, name } = this.#file;
    if (lock === undefined || lock.isHeld()) return;
    this.#checkFile();
    throw new JournalError(
      `${name}.lock was removed, and another process is writing ${name} now`,
      { hint: `All answers so far are in ${name}, where the other process found them.` },
    );
  }

  /** If the file was moved or removed, its open descriptor still has every result: they are saved. */
  #checkFile(): void {
    const { path, name, fd } = this.#file;
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.ino === fstatSync(fd).ino) return;
    const saved = there === undefined ? path : rescuedPath(path);
    try {
      // Its folder may be gone as well.
      mkdirSync(dirname(saved), { recursive: true });
      copyWhole(fd, saved);
    } catch (error) {
      throw fileProblem(error, saved);
    }
    throw new JournalError(`${name} was moved, removed or replaced while the batch ran`, {
      hint: `All answers so far are in ${saved}. Run the same command again: it reads them from ` +
        "there and sends only what is missing.",
    });
  }
}
