/**
 * A file that only this process knows, for what has to be read more than once.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidInputError } from "../errors.ts";
import { fileReason } from "./reasons.ts";

/**
 * An open file whose name goes away at once, so that nothing is left however the process ends. Where
 * an open file cannot be removed, it is removed when it is closed.
 */
export class TemporaryFile {
  /** The open file. */
  readonly fd: number;
  readonly #folder: string;
  /** What is copied to it, for messages. */
  readonly #content: string;

  /**
   * Makes a file for a copy of `content`.
   *
   * @throws {InvalidInputError} when it cannot be made
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
      // Windows.
    }
  }

  /** Appends `bytes`; throws {@link InvalidInputError} when there is no room. */
  write(bytes: Buffer): void {
    try {
      for (let written = 0; written < bytes.length;) {
        written += writeSync(this.fd, bytes, written);
      }
    } catch (error) {
      throw this.#problem(error);
    }
  }

  /** Closes the file, which is gone then. */
  close(): void {
    closeSync(this.fd);
    this.#remove();
  }

  #remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #problem(cause: unknown): InvalidInputError {
    return new InvalidInputError(
      `cannot copy ${this.#content} to the folder for temporary files, ${tmpdir()}: ${
        fileReason(cause)
      }`,
      { cause, hint: "Make room there, or set TMPDIR to another folder." },
    );
  }
}
