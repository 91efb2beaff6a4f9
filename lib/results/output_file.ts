/**
 * Writes a file that appears, or replaces another one, only once it is complete.
 *
 * @module
 */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import process from "node:process";
import { ConfigurationError } from "../errors.ts";
import { writeReason } from "../files/reasons.ts";
import { writeAll } from "../files/write_all.ts";

/** A file that is being written. When it replaces one, links and permissions stay. */
export class OutputFile implements Disposable {
  readonly #path: string;
  /** What `path` is a link to, if it is one. */
  readonly #target: string;
  readonly #fd: number;
  /** The path of the incomplete file; `undefined` for devices and pipes, which are written directly. */
  readonly #temporary: string | undefined;
  #isComplete = false;

  /**
   * Creates the file.
   *
   * @param path its path when it is complete
   * @param replace whether to replace a file that exists
   * @throws {ConfigurationError} if it exists, or cannot be created
   */
  constructor(path: string, replace: boolean) {
    this.#path = path;
    const existing = statSync(path, { throwIfNoEntry: false });
    if (existing?.isDirectory()) throw this.#problem("it is a folder, not a file");
    const isFile = existing === undefined || existing.isFile();
    if (existing?.isFile() && !replace) {
      throw new ConfigurationError(`${path} already exists`, {
        hint: "Choose another file, or replace it with --force.",
      });
    }
    try {
      this.#target = existing?.isFile() ? realpathSync(path) : path;
      this.#temporary = isFile ? `${this.#target}.${process.pid}.tmp` : undefined;
      // A file of that name was left behind by a dead process.
      if (this.#temporary !== undefined) rmSync(this.#temporary, { force: true });
      this.#fd = this.#temporary === undefined
        ? openSync(path, "w")
        : openSync(this.#temporary, "wx");
      if (existing?.isFile()) fchmodSync(this.#fd, existing.mode & 0o777);
    } catch (error) {
      throw this.#problem(writeReason(error), error);
    }
  }

  /**
   * Appends `bytes`.
   *
   * @throws {ConfigurationError} if the disk is full
   */
  write(bytes: Uint8Array): void {
    try {
      writeAll(this.#fd, bytes);
    } catch (error) {
      throw this.#problem(writeReason(error), error);
    }
  }

  /**
   * Marks the file as complete and gives it its name.
   *
   * @throws {ConfigurationError} if that is impossible
   */
  complete(): void {
    if (this.#temporary === undefined) return;
    try {
      fsyncSync(this.#fd);
      renameSync(this.#temporary, this.#target);
      this.#isComplete = true;
    } catch (error) {
      throw this.#problem(writeReason(error), error);
    }
  }

  /** Closes the file, and removes it if it is not complete. */
  [Symbol.dispose](): void {
    closeSync(this.#fd);
    if (this.#temporary !== undefined && !this.#isComplete) {
      rmSync(this.#temporary, { force: true });
    }
  }

  #problem(reason: string, cause?: unknown): ConfigurationError {
    return new ConfigurationError(`cannot write ${this.#path}: ${reason}`, {
      cause,
      hint: "Free up space, check the permissions of the folder, or choose another file.",
    });
  }
}
