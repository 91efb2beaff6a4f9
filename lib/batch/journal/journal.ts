/**
 * The result file of a batch as an append-only journal: what is in it is never sent again.
 *
 * Each record is written before it is counted, and synced to the disk within a second. After a
 * crash the same file is opened again, a torn last line is cut off, and the batch continues.
 *
 * Other programs may change the file meanwhile. None of their lines is removed, and nothing of ours is
 * lost: see append_file.ts, foreign_lines.ts and rescued_file.ts.
 *
 * @module
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { JournalError, JournalMismatchError } from "../../errors.ts";
import { fileReason } from "../../files/reasons.ts";
import { foreignKind } from "../../files/foreign_kind.ts";
import { AppendFile, FileCutError, readAt } from "./append_file.ts";
import { FileIdentity } from "./file_identity.ts";
import { loadFingerprint } from "./fingerprint.ts";
import { checkForeignLines } from "./foreign_lines.ts";
import type { JournalStats } from "./journal_stats.ts";
import { JournalIndex } from "./journal_index.ts";
import { LineBuffer } from "./line_buffer.ts";
import type { FileLock } from "../../runtime/file_lock.ts";
import { checkLines, DamagedLineError, writeInOrder } from "./compact.ts";
import { checkKind, fileProblem, lockOf, resolvePath } from "./output_file.ts";
import { encodeRecord, readRecord, type ResultRecord } from "./result_line.ts";
import { removeRescued, rescuedPath, takeRescued } from "./rescued_file.ts";
import { readResultLines } from "./read_results.ts";

/** The result file of one batch, open and locked, or open for reading only. */
export class Journal {
  readonly #path: string;
  /** As the person named it. */
  readonly #name: string;
  readonly #fd: number;
  /** None when it is open for reading only: then nothing may be changed. */
  readonly #lock: FileLock | undefined;
  readonly #created: boolean;
  readonly #place: FileIdentity;
  readonly #journal = new JournalIndex();
  readonly #index = this.#journal.records;
  readonly #lines = new LineBuffer();
  /** Set once the file has been scanned. */
  #file!: AppendFile;
  #sizeAtOpening = 0;

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
    this.#place = new FileIdentity({ path, name, fd, lock });
  }

  /**
   * Opens the result file at `path`, makes it if need be, and reads what is in it.
   *
   * @throws {JournalError} when it cannot be written, another process has it, or it holds
   *   something else than results
   */
  static async open(path: string): Promise<Journal> {
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
        throw new JournalError(`another flexllm process is writing ${path}`, {
          hint: "Wait for it to end, or choose another output file.",
        });
      }
      // The one who had the lock may have replaced the file when it put it in order.
      closeSync(fd);
      fd = openSync(target, "a+");
      const journal = new Journal(target, path, fd, lock, existing === undefined);
      journal.#scan();
      journal.#takeRescued();
      return journal;
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      lock?.release();
      throw error instanceof JournalError ? error : fileProblem(error, path);
    }
  }

  /**
   * Opens the result file at `path` to look into it: nothing is changed, and another process may be
   * writing it. `undefined` when there is none.
   *
   * @throws {JournalError} when it cannot be read, or holds something else than results
   */
  static async openToRead(path: string): Promise<Journal | undefined> {
    const target = resolvePath(path);
    let fd: number | undefined;
    await loadFingerprint();
    try {
      const existing = statSync(target, { throwIfNoEntry: false });
      if (existing === undefined) return undefined;
      checkKind(existing, path);
      fd = openSync(target, "r");
      const journal = new Journal(target, path, fd, undefined, false);
      journal.#scan();
      journal.#takeRescued();
      return journal;
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      if (error instanceof JournalError) throw error;
      throw new JournalError(`cannot read ${path}: ${fileReason(error)}`, {
        cause: error,
        hint: "Choose another output file, or change the permissions.",
      });
    }
  }

  /** What was in the file when it was opened. */
  get found(): JournalStats {
    return this.#journal.found;
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
   * @throws {JournalMismatchError} when the file's record of that index has another input,
   *   unless `rerunChanged` says to forget it
   */
  isDone(index: number, input: unknown, rerunChanged = false): boolean {
    const state = this.#index.state(index);
    if (state === "none") return false;
    const hasInput = this.#journal.hasInput(index, input);
    if (hasInput === undefined) return false;
    if (!hasInput) {
      if (!rerunChanged) throw this.#mismatch(index);
      this.#index.forget(index);
      return false;
    }
    return state === "success";
  }

  #mismatch(index: number): JournalMismatchError {
    return new JournalMismatchError(
      `${this.#name} was made from another input: record ${index} differs`,
      index,
      { hint: "Choose another output file, or redo changed records with --rerun-changed." },
    );
  }

  /** Throws when the file has records beyond the `total` of the input. */
  checkEnd(total: number): void {
    if (this.end <= total) return;
    throw new JournalMismatchError(
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

  /**
   * Reads the record of `index`, which is in the file.
   *
   * @throws {JournalError} when another program has changed its line
   */
  read(index: number): ResultRecord {
    const { offset, length } = this.#index.place(index);
    const record = readRecord(readAt(this.#fd, offset, length).toString("utf8"));
    if (typeof record === "object" && record.index === index) return record;
    throw this.#damaged(index);
  }

  #damaged(index: number): JournalError {
    return new JournalError(
      `another program changed the line of record ${index} in ${this.#name} while the batch ran`,
      { hint: "Remove that line, and run the same command again." },
    );
  }

  /**
   * Writes records. When this returns, they survive the end of this process; within a second they
   * survive a power failure.
   *
   * @throws {JournalError} when they cannot be written: the file is left without them; or when
   *   another program has cut or replaced the file: they are saved, and the message says where
   */
  append(records: readonly ResultRecord[]): void {
    if (records.length === 0) return;
    if (this.#place.isCheckDue()) this.#place.checkLock();
    this.#lines.clear();
    const lengths = records.map((record) => {
      const spent = this.#index.spentOn(record.index);
      const line = spent === 0 ? record : { ...record, spent_before: spent };
      return this.#lines.add(`${encodeRecord(line)}\n`);
    });
    const offsets = this.#write(this.#lines.bytes, lengths);
    for (const [i, record] of records.entries()) {
      this.#journal.noteWritten(record, offsets[i], lengths[i] - 1);
    }
    if (this.#place.isCheckDue()) this.#place.check();
  }

  #write(bytes: Uint8Array, lengths: readonly number[]): number[] {
    const wasTouched = this.#file.wasTouched;
    try {
      return this.#file.append(bytes, lengths);
    } catch (error) {
      if (!(error instanceof FileCutError)) throw fileProblem(error, this.#name);
      throw new JournalError(
        `${this.#name} was truncated by another program while the batch ran`,
        {
          hint: "Some results are lost. Run the same command again to send those records again.",
        },
      );
    } finally {
      // Another writer may have taken the lock.
      if (!wasTouched && this.#file.wasTouched) this.#place.checkSoon();
    }
  }

  /**
   * Makes sure that all that was written is on the disk, and in its place.
   *
   * @throws {JournalError} when it is not, and says where it is
   */
  settle(): void {
    try {
      this.#file.sync();
    } catch (error) {
      throw fileProblem(error, this.#name);
    }
    this.#place.check();
  }

  /**
   * Sorts the file by index, one record each, by replacing it with a sorted copy all at once. Only
   * checks it when it is sorted already.
   *
   * @throws {JournalError} when the copy cannot be written, or another program has written something
   *   else into the file; the file stays as it is
   */
  order(): void {
    this.settle();
    const isTouched = this.#file.isTouched();
    if (isTouched) this.#checkForeignLines();
    const { size } = this.#file;
    try {
      if (isTouched || !this.#journal.isOrdered(size)) {
        writeInOrder(this.#path, this.#fd, this.#index, () => this.#checkQuiet(size));
      } else if (size > this.#sizeAtOpening) {
        checkLines(this.#fd, this.#index);
      }
    } catch (error) {
      if (error instanceof JournalError) throw error;
      if (!(error instanceof DamagedLineError)) throw fileProblem(error, this.#name);
      // Names the line, where it can.
      this.#checkForeignLines();
      throw this.#damaged(error.index);
    }
  }

  /** Syncs and closes the file and releases the lock; a file that it made and left empty is removed. */
  close(): void {
    if (this.#lock === undefined) return closeSync(this.#fd);
    try {
      this.#file.sync();
    } finally {
      const { size, ino } = fstatSync(this.#fd);
      closeSync(this.#fd);
      const isOurs = statSync(this.#path, { throwIfNoEntry: false })?.ino === ino;
      if (this.#created && size === 0 && isOurs) rmSync(this.#path, { force: true });
      this.#lock.release();
    }
  }

  /** Throws when something was appended while the file was being copied. */
  #checkQuiet(size: number): void {
    if (fstatSync(this.#fd).size === size) return;
    throw new JournalError(`another program keeps writing to ${this.#name}`, {
      hint: "All answers are in the file, but not in order. Stop the other program, remove its " +
        "lines and run the same command again.",
    });
  }

  #checkForeignLines(): void {
    const size = checkForeignLines({
      name: this.#name,
      fd: this.#fd,
      index: this.#index,
      sizeAtOpening: this.#sizeAtOpening,
      read: (index) => this.read(index),
      take: ({ offset, length }, record) => this.#journal.noteFound(record, offset, length),
    });
    this.#file.accept(size);
  }

  #scan(): void {
    this.#refuseOtherKinds();
    const lines = readResultLines(this.#fd);
    let step = lines.next();
    for (; !step.done; step = lines.next()) {
      const { record, offset, length, number, isTorn } = step.value;
      if (typeof record === "string") {
        if (isTorn) return this.#cutTornLine(offset);
        throw new JournalError(
          `${this.#name}:${number} is not a result of flexllm: ${record}`,
          { hint: "Choose another output file, or remove that line." },
        );
      }
      this.#journal.noteFound(record, offset, length);
    }
    const { size, isEnded } = step.value;
    this.#endScan(size, isEnded);
  }

  #cutTornLine(offset: number): void {
    if (this.#lock !== undefined) ftruncateSync(this.#fd, offset);
    this.#endScan(offset, true);
  }

  #endScan(size: number, isEnded: boolean): void {
    if (!isEnded && this.#lock !== undefined) size += writeSync(this.#fd, "\n");
    this.#file = new AppendFile(this.#fd, size);
    this.#sizeAtOpening = size;
  }

  #refuseOtherKinds(): void {
    const kind = foreignKind(readAt(this.#fd, 0, 8), this.#name);
    if (kind === undefined) return;
    throw new JournalError(`the output ${this.#name} is ${kind.what}`, {
      hint: `Choose another output file. ${kind.hint}`,
    });
  }

  /** Imports what an earlier run saved when its result file was replaced. */
  #takeRescued(): void {
    const path = rescuedPath(this.#path);
    const add = (line: Uint8Array, record: ResultRecord) => {
      // A file opened for reading cannot store it; knowing that it is done is enough.
      const [offset] = this.#lock === undefined ? [0] : this.#write(line, [line.length]);
      this.#journal.noteFound(record, offset, line.length - 1);
    };
    const isThere = takeRescued(path, { name: this.#name, index: this.#index, add });
    if (!isThere || this.#lock === undefined) return;
    this.#file.sync();
    removeRescued(path);
  }
}
