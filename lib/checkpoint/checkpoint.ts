/**
 * The result file of a batch as an append-only journal: what is in it is never asked again.
 *
 * Each record is written before it is counted, and synced to the disk within a second. After a
 * crash the same file is opened again, a torn last line is cut off, and the batch goes on.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { clearTimeout, setTimeout } from "node:timers";
import { CheckpointError, CheckpointMismatchError } from "../errors.ts";
import { fingerprint, loadFingerprint } from "./fingerprint.ts";
import { FoundAnswers } from "./found_answers.ts";
import { LineBuffer } from "./line_buffer.ts";
import { readLinesSync } from "../lines.ts";
import type { FileLock } from "./lock.ts";
import { writeInOrder } from "./order.ts";
import { checkKind, fileProblem, lockOf, resolvePath } from "./output_file.ts";
import { RecordIndex } from "./record_index.ts";
import { comparedLine, readRecord, type ResultRecord } from "./record.ts";
import { fileReason } from "../file_reason.ts";

/** How long a written record may wait for the disk, in milliseconds. */
const SYNC_INTERVAL = 1000;

/** The result file of one batch, open and locked, or open for reading only. */
export class Checkpoint {
  readonly #path: string;
  /** As the person named it. */
  readonly #name: string;
  readonly #fd: number;
  /** None when it is open for reading only: then nothing may be changed. */
  readonly #lock: FileLock | undefined;
  readonly #created: boolean;
  readonly #index = new RecordIndex();
  readonly #lines = new LineBuffer();
  /** What was in the file when it was opened. */
  readonly found = new FoundAnswers();
  #size = 0;
  /** The records stand in the file in the order of their indexes, with nothing between them. */
  #ordered = true;
  #lastIndex = -1;
  /** When the file was last seen in its place. */
  #lastCheck = -Infinity;
  /** How much of the file is known to be on the disk. */
  #synced = 0;
  #syncTimer: ReturnType<typeof setTimeout> | undefined;

  private constructor(
    path: string,
    name: string,
    fd: number,
    lock: FileLock | undefined,
    created: boolean,
  ) {
    this.#path = path;
    this.#name = name;
    this.#fd = fd;
    this.#lock = lock;
    this.#created = created;
  }

  /**
   * Opens the result file at `path`, makes it if need be, and reads what is in it.
   *
   * @throws {CheckpointError} when it cannot be written, another process has it, or it holds
   *   something else than results
   */
  static async open(path: string): Promise<Checkpoint> {
    const target = resolvePath(path);
    let lock: FileLock | undefined;
    let fd: number | undefined;
    await loadFingerprint();
    try {
      const existing = statSync(target, { throwIfNoEntry: false });
      checkKind(existing, path);
      // Also tells a missing folder or permission before the lock would, in its own words.
      fd = openSync(target, "a+");
      lock = await lockOf(target);
      if (lock === undefined) {
        throw new CheckpointError(`another flexllm process is writing ${path}`, {
          hint: "Wait for it to end, or choose another output file.",
        });
      }
      // The one who had the lock may have replaced the file when it put it in order.
      closeSync(fd);
      fd = openSync(target, "a+");
      const checkpoint = new Checkpoint(target, path, fd, lock, existing === undefined);
      checkpoint.#scan();
      return checkpoint;
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      lock?.release();
      throw error instanceof CheckpointError ? error : fileProblem(error, path);
    }
  }

  /**
   * Opens the result file at `path` to look into it: nothing is changed, and another process may be
   * writing it. `undefined` when there is none.
   *
   * @throws {CheckpointError} when it cannot be read, or holds something else than results
   */
  static async openToRead(path: string): Promise<Checkpoint | undefined> {
    const target = resolvePath(path);
    let fd: number | undefined;
    await loadFingerprint();
    try {
      const existing = statSync(target, { throwIfNoEntry: false });
      if (existing === undefined) return undefined;
      checkKind(existing, path);
      fd = openSync(target, "r");
      const checkpoint = new Checkpoint(target, path, fd, undefined, false);
      checkpoint.#scan();
      return checkpoint;
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      if (error instanceof CheckpointError) throw error;
      throw new CheckpointError(`cannot read ${path}: ${fileReason(error)}`, {
        cause: error,
        hint: "Choose another output file, or change the permissions.",
      });
    }
  }

  /** How many records are done. */
  get successes(): number {
    return this.#index.successes;
  }

  /** How many records have only failed so far. */
  get errors(): number {
    return this.#index.errors;
  }

  /** USD that the records of the file have cost, those done anew included, as far as it is known. */
  get cost(): number {
    return this.#index.spent;
  }

  /** One more than the highest index in the file. */
  get end(): number {
    return this.#index.end;
  }

  /**
   * Whether the record `index` with the given input is done already.
   *
   * @throws {CheckpointMismatchError} when the file's record of that index has another input,
   *   unless `rerunChanged` says to forget it
   */
  isDone(index: number, input: unknown, rerunChanged = false): boolean {
    const state = this.#index.state(index);
    if (state === "none") return false;
    if (this.#index.fingerprint(index) !== fingerprint(input)) {
      if (!rerunChanged) throw this.#mismatch(index);
      this.#index.forget(index);
      return false;
    }
    return state === "success";
  }

  #mismatch(index: number): CheckpointMismatchError {
    return new CheckpointMismatchError(
      `${this.#name} was made from another input: record ${index} differs`,
      index,
      { hint: "Choose another output file, or redo changed records with --rerun-changed." },
    );
  }

  /** Throws when the file has records beyond the `total` of the input. */
  checkEnd(total: number): void {
    if (this.end <= total) return;
    throw new CheckpointMismatchError(
      `${this.#name} was made from another input: it has a record ${this.end - 1}, ` +
        `the input has only ${total}`,
      total,
      { hint: "Choose another output file, or give the whole input." },
    );
  }

  /** Whether the file has the record `index` as one that failed. */
  hasFailed(index: number): boolean {
    return this.#index.state(index) === "error";
  }

  /** Reads the record of `index`, which is in the file. */
  read(index: number): ResultRecord {
    const { offset, length } = this.#index.place(index);
    const buffer = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const read = readSync(this.#fd, buffer, filled, length - filled, offset + filled);
      if (read === 0) throw new CheckpointError(`${this.#name} has become shorter`);
      filled += read;
    }
    return JSON.parse(buffer.toString("utf8"));
  }

  /**
   * Writes records. When this returns, they survive the end of this process; within a second they
   * survive a power failure.
   *
   * @throws {CheckpointError} when they cannot be written; the file is left without them
   */
  append(records: readonly ResultRecord[]): void {
    if (records.length === 0) return;
    this.#checkInPlace();
    this.#lines.clear();
    const lengths = records.map((record) => {
      const spent = this.#index.spentOn(record.index);
      const line = spent === 0 ? record : { ...record, spent_before: spent };
      return this.#lines.add(`${JSON.stringify(line)}\n`);
    });
    const { bytes } = this.#lines;
    try {
      for (let written = 0; written < bytes.length;) {
        written += writeSync(this.#fd, bytes, written);
      }
    } catch (error) {
      try {
        this.#cutTo(this.#size);
      } catch {
        // A file that cannot be cut either keeps a torn line, which the next run cuts off.
      }
      throw fileProblem(error, this.#name);
    }
    for (const [i, record] of records.entries()) {
      const { index, status } = record;
      this.#spend(record);
      // Written in this run, so its input is never compared: no fingerprint is needed.
      this.#note(index, status, NaN, this.#size, lengths[i] - 1);
      this.#size += lengths[i];
    }
    this.#syncSoon();
  }

  /**
   * Makes sure that all that was written is on the disk, and in its place.
   *
   * @throws {CheckpointError} when it is not, and says where it is
   */
  settle(): void {
    try {
      this.#sync();
    } catch (error) {
      throw fileProblem(error, this.#name);
    }
    this.#lastCheck = -Infinity;
    this.#checkInPlace();
  }

  /**
   * Puts the file in the order of the indexes, one record each, by replacing it at once with an
   * ordered copy. Does nothing when it is in order already.
   *
   * @throws {CheckpointError} when the copy cannot be written; the file stays as it is
   */
  order(): void {
    this.settle();
    if (this.#ordered) return;
    try {
      writeInOrder(this.#path, this.#fd, this.#index);
    } catch (error) {
      throw fileProblem(error, this.#name);
    }
  }

  /** Syncs and closes the file and gives the lock back; an empty file it made goes away again. */
  close(): void {
    if (this.#lock === undefined) return closeSync(this.#fd);
    try {
      this.#sync();
    } finally {
      closeSync(this.#fd);
      if (this.#created && this.#size === 0) rmSync(this.#path, { force: true });
      this.#lock.release();
    }
  }

  /**
   * Looks, once a second, whether the file is still where and what it was. If it was moved or removed,
   * its open descriptor still has every result, so they are written anew.
   */
  #checkInPlace(): void {
    const now = performance.now();
    if (now - this.#lastCheck < SYNC_INTERVAL) return;
    this.#lastCheck = now;
    const { ino, size } = fstatSync(this.#fd);
    if (size < this.#size) {
      throw new CheckpointError(`${this.#name} was cut by another program while the batch ran`, {
        hint: "Results are lost. Run the same command again to ask for them again.",
      });
    }
    const there = statSync(this.#path, { throwIfNoEntry: false });
    if (there?.ino === ino) return;
    const rescued = there === undefined ? this.#path : `${this.#path}.rescued`;
    try {
      // Its folder may be gone as well.
      mkdirSync(dirname(rescued), { recursive: true });
      writeInOrder(rescued, this.#fd, this.#index);
    } catch (error) {
      throw fileProblem(error, rescued);
    }
    throw new CheckpointError(
      `${this.#name} was moved, removed or replaced while the batch ran`,
      { hint: `What was answered so far is in ${rescued}. Run the same command to go on.` },
    );
  }

  #scan(): void {
    for (const line of readLinesSync(this.#fd)) {
      if (line.text.trim() === "") {
        this.#ordered = false;
        continue;
      }
      const record = readRecord(line.text);
      if (typeof record === "string") {
        if (!line.ended) return this.#lock && this.#cutTo(line.offset);
        throw new CheckpointError(
          `${this.#name}:${line.number} is not a result of flexllm: ${record}`,
          { hint: "Choose another output file, or remove that line." },
        );
      }
      this.#noteScanned(record, line.offset, line.length);
      this.found.add(record);
      this.#spend(record);
      this.#size = line.offset + line.length + 1;
      if (!line.ended && this.#lock !== undefined) writeSync(this.#fd, "\n");
    }
  }

  #noteScanned(record: ResultRecord, offset: number, length: number): void {
    // A result whose input is not told cannot be compared, so it is asked again.
    const known = record.input !== undefined;
    const state = known ? record.status : "error";
    const print = known ? fingerprint(comparedLine(record)) : NaN;
    this.#note(record.index, state, print, offset, length);
  }

  #note(
    index: number,
    state: "error" | "success",
    print: number,
    offset: number,
    length: number,
  ): void {
    if (index <= this.#lastIndex || offset !== this.#size) this.#ordered = false;
    this.#lastIndex = index;
    this.#index.set(index, state, print, offset, length);
  }

  #spend({ index, cost, spent_before }: ResultRecord): void {
    this.#index.spend(index, typeof cost === "number" ? cost : 0, spent_before);
  }

  #cutTo(size: number): void {
    ftruncateSync(this.#fd, size);
    this.#size = size;
  }

  #syncSoon(): void {
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      const written = this.#size;
      // An error that lasts is met again by the sync at the end, which throws it.
      fdatasync(this.#fd, (error) => {
        if (!error) this.#synced = Math.max(this.#synced, written);
      });
    }, SYNC_INTERVAL);
  }

  #sync(): void {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    if (this.#synced >= this.#size) return;
    fdatasyncSync(this.#fd);
    this.#synced = this.#size;
  }
}
