/**
 * Stores the mock's files and jobs as records, in a log on disk if their state shall survive a restart.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { ConfigurationError } from "../../errors.ts";
import { readLinesSync } from "../../files/lines.ts";
import { fileReason } from "../../files/reasons.ts";
import { asObject, tryParse } from "../../json/json.ts";
import { type FileLock, tryLock } from "../../runtime/file_lock.ts";
import { writeAll } from "../../files/write_all.ts";

/** The log's file in the state folder. */
const LOG = "batches.jsonl";

/** Records by kind and id, in the order in which they were first stored. */
export class Records {
  readonly #kinds = new Map<string, Map<string, unknown>>();
  readonly #fd: number | undefined;
  readonly #lock: FileLock | undefined;

  private constructor(fd?: number, lock?: FileLock) {
    this.#fd = fd;
    this.#lock = lock;
  }

  /**
   * Opens the records of a folder, or empty ones without a folder. A record whose write was interrupted
   * was never acknowledged, and is dropped.
   *
   * @throws {ConfigurationError} if the folder cannot be used
   */
  static async open(folder?: string): Promise<Records> {
    if (folder === undefined) return new Records();
    const path = join(folder, LOG);
    let fd: number | undefined;
    let lock: FileLock | undefined;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      fd = openSync(path, "a+", 0o600);
      lock = await tryLock(`${path}.lock`);
    } catch (cause) {
      throw new ConfigurationError(`cannot use the state folder ${folder}: ${fileReason(cause)}`, {
        cause,
        hint: "Pass a folder that you may write to: --state ./mock-state",
      });
    }
    if (lock === undefined) {
      closeSync(fd);
      throw new ConfigurationError(`another mock server uses the state folder ${folder}`, {
        hint: "Stop it, or pass another folder with --state.",
      });
    }
    const records = new Records(fd, lock);
    records.#load(fd, path);
    return records;
  }

  #load(fd: number, path: string): void {
    for (const { text, ended, number, offset } of readLinesSync(fd)) {
      const entry = asObject(tryParse(text));
      if (!ended) return ftruncateSync(fd, offset);
      if (typeof entry?.kind !== "string" || typeof entry.id !== "string") {
        throw new ConfigurationError(`${path}, line ${number}: this is no state of a mock server`, {
          hint: "Delete the file to start without state, or pass another folder with --state.",
        });
      }
      this.#kind(entry.kind).set(entry.id, entry.value);
    }
  }

  #kind(kind: string): Map<string, unknown> {
    let records = this.#kinds.get(kind);
    if (records === undefined) this.#kinds.set(kind, records = new Map());
    return records;
  }

  /** Stores a record, which survives a crash once this returns. */
  put(kind: string, id: string, value: unknown): void {
    this.#kind(kind).set(id, value);
    if (this.#fd === undefined) return;
    const bytes = Buffer.from(`${JSON.stringify({ kind, id, value })}\n`);
    writeAll(this.#fd, bytes);
    fsyncSync(this.#fd);
  }

  /** The record of an id. */
  get<T>(kind: string, id: string): T | undefined {
    return this.#kind(kind).get(id) as T | undefined;
  }

  /** All records of a kind, oldest first. */
  all<T>(kind: string): T[] {
    return [...this.#kind(kind).values()] as T[];
  }

  /** Closes the log. */
  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#lock?.release();
  }
}
