/**
 * Appends lines to a log file of bounded size, in batches, without ever breaking what it logs.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { closeSync, fstatSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { clearTimeout, setTimeout } from "node:timers";
import { ConfigurationError } from "../errors.ts";
import { writeReason } from "../files/reasons.ts";

/** The options of a {@link LogFile}. */
export interface LogFileOptions {
  /** Maximum size in bytes. A file that would exceed it is renamed to `FILE.1`, replacing the one before. */
  maxSize: number;
  /** Called once if lines cannot be written, and when the file is closed if any were lost. */
  onWarning?: (message: string) => void;
}

/** Pending characters after which lines are written immediately. */
const MAX_PENDING = 64 * 1024;
/** Milliseconds after which pending lines are written. */
const DELAY = 200;

/** Only the owner may read the file: error messages quote servers, and it can have prompts and answers. */
const MODE = 0o600;

/**
 * A log file. Several processes can append to the same one, and it can be renamed or removed at any time: lines
 * then go to a new file of its name.
 */
export class LogFile {
  readonly path: string;
  readonly #options: LogFileOptions;
  #fd: number | undefined;
  #pending: string[] = [];
  #pendingLength = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasWarned = false;
  #lost = 0;
  /** Whether the last line was written only in part. */
  #isTorn = false;

  /** @throws {ConfigurationError} if the file cannot be opened */
  constructor(path: string, options: LogFileOptions) {
    this.path = path;
    this.#options = options;
    try {
      this.#fd = openSync(path, "a", MODE);
    } catch (cause) {
      const reason = writeReason(cause);
      throw new ConfigurationError(`cannot write the log file ${path}: ${reason}`, {
        cause,
        hint: "Check its folder and permissions, or choose another file.",
      });
    }
  }

  /** Adds a line. It is written within 200 ms, or by {@link LogFile.flush}. */
  add(line: string): void {
    this.#pending.push(line);
    this.#pendingLength += line.length + 1;
    if (this.#pendingLength >= MAX_PENDING) return this.flush();
    // The timer must not keep the process running.
    this.#timer ??= setTimeout(() => this.flush(), DELAY).unref();
  }

  /** Writes all pending lines. They are lost if they cannot be written. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.length === 0) return;
    const lines = this.#pending;
    this.#pending = [];
    this.#pendingLength = 0;
    try {
      const bytes = Buffer.from(`${this.#isTorn ? "\n" : ""}${lines.join("\n")}\n`);
      this.#write(this.#ready(bytes.length), bytes);
    } catch (error) {
      this.#lost += lines.length;
      if (this.#hasWarned) return;
      this.#hasWarned = true;
      this.#warn(`cannot write the log file ${this.path}: ${writeReason(error)}`);
    }
  }

  /** Writes all pending lines and closes the file. */
  close(): void {
    this.flush();
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    if (this.#lost > 0) {
      this.#warn(`lines of the log that could not be written to ${this.path}: ${this.#lost}`);
    }
    this.#lost = 0;
  }

  #warn(message: string): void {
    this.#options.onWarning?.(message);
  }

  /** The file, opened again if another process has moved it, and rotated if `size` more bytes would not fit. */
  #ready(size: number): number {
    let fd = this.#fd ??= openSync(this.path, "a", MODE);
    const own = fstatSync(fd);
    // Pipes and devices have no size.
    if (!own.isFile()) return fd;
    const current = statSync(this.path, { throwIfNoEntry: false });
    if (current?.ino !== own.ino || current.dev !== own.dev) fd = this.#reopen();
    if ((current?.size ?? 0) === 0 || current!.size + size <= this.#options.maxSize) return fd;
    renameSync(this.path, `${this.path}.1`);
    return this.#reopen();
  }

  #reopen(): number {
    const fd = openSync(this.path, "a", MODE);
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#isTorn = false;
    return this.#fd = fd;
  }

  #write(fd: number, bytes: Uint8Array): void {
    for (let written = 0; written < bytes.length;) {
      this.#isTorn = written > 0;
      written += writeSync(fd, bytes, written);
    }
    this.#isTorn = false;
  }
}
