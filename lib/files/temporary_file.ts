/**
 * Creates a private temporary file, for input that has to be read more than once.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidInputError } from "../errors.ts";
import { fileReason } from "./reasons.ts";
import { writeAll } from "./write_all.ts";

/**
 * An open file that is removed immediately, so that nothing is left behind however the process ends.
 * Windows cannot remove open files; there it is removed when it is closed.
 */
export class TemporaryFile {
  /** The open file. */
  readonly fd: number;
  readonly #folder: string;
  /** The name of the copied content, for messages. */
  readonly #content: string;

  /**
   * Creates the file.
   *
   * @param content the name of the content that will be copied to it, for messages
   * @throws {InvalidInputError} if it cannot be created
   */
  constructor(content: string) {
    this.#content = content;
    try {
      this.#folder = mkdtempSync(join(tmpdir(), "flexllm-"));
    } catch (error) {
      throw this.#problem(error);
    }
    try {
      this.fd = openSync(join(this.#folder, "input.jsonl"), "wx+", 0o600);
    } catch (error) {
      this.#remove();
      throw this.#problem(error);
    }
    try {
      this.#remove();
    } catch {
      // On Windows, close() removes it.
    }
  }

  /**
   * Appends `bytes`.
   *
   * @throws {InvalidInputError} if the disk is full
   */
  write(bytes: Buffer): void {
    try {
      writeAll(this.fd, bytes);
    } catch (error) {
      throw this.#problem(error);
    }
  }

  /** Closes and removes the file. */
  close(): void {
    closeSync(this.fd);
    this.#remove();
  }

  #remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #problem(cause: unknown): InvalidInputError {
    return new InvalidInputError(
      `cannot copy ${this.#content} to the temporary folder ${tmpdir()}: ${fileReason(cause)}`,
      { cause, hint: "Free up space there, or set TMPDIR to another folder." },
    );
  }
}
