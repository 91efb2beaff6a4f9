/**
 * The journal of a batch: its result file, appended to as records finish. A record in it is never sent
 * again.
 *
 * Records are written before they are counted, and synced to disk within a second. After a crash, the
 * next run removes a torn last line and resumes the batch.
 *
 * Other programs may change the file meanwhile. Their lines are never removed, and no result is lost:
 * see append_file.ts, foreign_writers.ts and rescue.ts.
 *
 * @module
 */
import { closeSync, fstatSync, rmSync, statSync } from "node:fs";
import { JournalError, JournalMismatchError } from "../../errors.ts";
import { readAt } from "./append_file.ts";
import { changedLine, compactJournal } from "./compact_journal.ts";
import { type CheckResult, JournalContents } from "./contents.ts";
import { loadFingerprint } from "./fingerprint.ts";
import type { JournalStats } from "./journal_stats.ts";
import { JournalWriter } from "./journal_writer.ts";
import { type JournalLine, journalLine } from "./line_encoder.ts";
import { type JournalFile, openToRead, openToWrite, readProblem } from "./open_file.ts";
import { fileProblem } from "./output_file.ts";
import { parseLine } from "./parse_line.ts";
import type { RecordIndex, RecordState } from "./record_index.ts";
import { importRescued } from "./rescue.ts";
import type { ResultRecord } from "./result_line.ts";
import { scan } from "./scan.ts";

/** Characters that are written at once: the processor still has them in its cache. */
const STEP_SIZE = 1 << 18;

/** The result file of one batch, open and locked, or open for reading only. */
export class Journal {
  readonly #file: JournalFile;
  readonly #contents = new JournalContents();
  readonly #indexes = this.#contents.indexes;
  readonly #writer: JournalWriter;
  readonly #sizeAtOpening: number;

  private constructor(file: JournalFile) {
    this.#file = file;
    this.#sizeAtOpening = scan(file, this.#contents);
    this.#writer = new JournalWriter(file, this.#sizeAtOpening, this.#indexes);
    importRescued(file, this.#contents, this.#writer);
  }

  /**
   * Opens and locks the result file at `path`, creates it if it does not exist, and reads it.
   *
   * @throws {JournalError} if it cannot be written, another process is writing it, or it contains
   *   anything but results
   */
  static async open(path: string): Promise<Journal> {
    await loadFingerprint();
    const file = await openToWrite(path);
    try {
      return new Journal(file);
    } catch (error) {
      closeSync(file.fd);
      file.lock?.release();
      throw error instanceof JournalError ? error : fileProblem(error, path);
    }
  }

  /**
   * Reads the result file at `path` without changing it; another process may be writing it.
   * `undefined` if it does not exist.
   *
   * @throws {JournalError} if it cannot be read, or contains anything but results
   */
  static async openToRead(path: string): Promise<Journal | undefined> {
    await loadFingerprint();
    const file = openToRead(path);
    if (file === undefined) return undefined;
    try {
      return new Journal(file);
    } catch (error) {
      closeSync(file.fd);
      throw readProblem(error, path);
    }
  }

  /** Statistics of the answers that earlier runs wrote. */
  get existing(): JournalStats {
    return this.#contents.existing;
  }

  /** The requested models that results name; none in the file of a batch that has a single model. */
  get models(): string[] {
    return this.#indexes.models;
  }

  /** Records that were answered; with several models, counted once for each. */
  get successes(): number {
    return this.#indexes.successes;
  }

  /** Records that have only failed so far; with several models, counted once for each. */
  get errors(): number {
    return this.#indexes.errors;
  }

  /** USD that the file's answers cost, including replaced ones; unknown prices count as 0. */
  get cost(): number {
    return this.#indexes.spent;
  }

  /** One more than the highest index in the file. */
  get end(): number {
    return this.#indexes.end;
  }

  /** The index of the results of one requested model; `undefined` for results that name none. */
  records(model: string | undefined): Pick<RecordIndex, "state" | "successes" | "errors"> {
    return this.#indexes.of(model);
  }

  /** Sorts the results of `model` after those of the models that the file already has. */
  addModel(model: string): void {
    this.#indexes.of(model);
  }

  /** Treats results that name no requested model as those of `model`. Only for reading. */
  nameUnmarked(model: string): void {
    this.#indexes.nameUnmarked(model);
  }

  /**
   * The state of the record `index`.
   *
   * @param model the requested model; `undefined` for results that name none
   */
  state(index: number, model?: string): RecordState {
    return this.#indexes.of(model).state(index);
  }

  /**
   * Compares the input of the record `index` with the file. Returns `new` if the record has to be sent,
   * `done`, or `changed` if the file has it with a different input. The input is hashed only once: later
   * checks and {@link state} use the remembered result.
   *
   * @param input its `inputIdentity`
   * @param model the requested model; `undefined` for results that name none
   */
  check(index: number, input: unknown, model?: string): CheckResult {
    return this.#contents.check(index, input, model);
  }

  /**
   * Whether the record `index` is done; its input is compared as by {@link check}.
   *
   * @param rerunChanged whether to forget the result of a changed record, which is then not done
   * @param model the requested model; `undefined` for results that name none
   * @throws {JournalMismatchError} if the record has changed, unless `rerunChanged`
   */
  isDone(index: number, input: unknown, rerunChanged = false, model?: string): boolean {
    const result = this.check(index, input, model);
    if (result !== "changed") return result === "done";
    if (!rerunChanged) {
      throw new JournalMismatchError(
        `${this.#file.name} was made from another input: record ${index} differs`,
        index,
        { hint: "Choose another output file, or redo changed records with --rerun-changed." },
      );
    }
    this.#indexes.of(model).forget(index);
    return false;
  }

  /**
   * Whether the record `index` is done, and its input has the fingerprint `print`. If not, {@link isDone} says more.
   *
   * @param model the requested model; `undefined` for results that name none
   */
  isDoneWith(index: number, print: number, model?: string): boolean {
    return this.#contents.isAnswered(index, print, model);
  }

  /**
   * Checks that the file has no record beyond the `total` of the input.
   *
   * @throws {JournalMismatchError} if it has one
   */
  checkEnd(total: number): void {
    if (this.end <= total) return;
    throw new JournalMismatchError(
      `${this.#file.name} was made from another input: it has a record ${this.end - 1}, ` +
        `the input has only ${total}`,
      total,
      { hint: "Choose another output file, or use the whole input." },
    );
  }

  /**
   * Reads the record `index`, which must be in the file.
   *
   * @param model the requested model; `undefined` for results that name none
   * @throws {JournalError} if another program has changed its line
   */
  read(index: number, model?: string): ResultRecord {
    const { offset, length } = this.#indexes.of(model).location(index);
    const record = parseLine(readAt(this.#file.fd, offset, length).toString("utf8"));
    if (typeof record === "object" && record.index === index) return record;
    throw changedLine(this.#file.name, index);
  }

  /**
   * Writes records, large ones in several steps: see {@link appendLines}.
   *
   * @throws {JournalError} as {@link appendLines} does, but earlier steps may have written some of them
   */
  append(records: readonly ResultRecord[]): void {
    let lines: JournalLine[] = [];
    let size = 0;
    for (const record of records) {
      const line = journalLine(record);
      lines.push(line);
      size += line.json.length;
      if (size < STEP_SIZE) continue;
      this.appendLines(lines);
      lines = [];
      size = 0;
    }
    this.appendLines(lines);
  }

  /**
   * Writes lines. When this returns, they survive the end of this process. Within a second, they also
   * survive a power failure.
   *
   * @throws {JournalError} if they cannot be written, in which case none of them is in the file; or if
   *   another program has truncated or replaced the file, in which case the message says where they are
   */
  appendLines(lines: readonly JournalLine[]): void {
    if (lines.length === 0) return;
    const { offsets, lengths } = this.#writer.write(lines);
    for (let i = 0; i < lines.length; i++) {
      this.#contents.addWritten(lines[i], offsets[i], lengths[i] - 1);
    }
    this.#writer.checkIfDue();
  }

  /**
   * Syncs everything written to disk, and checks that the file is still at its path.
   *
   * @throws {JournalError} if not; the message says where the results are
   */
  flush(): void {
    this.#writer.flush();
  }

  /**
   * Sorts the file by index, with one line per record and requested model, and replaces it atomically. Does
   * not rewrite a sorted file.
   *
   * @throws {JournalError} if the file cannot be replaced, or another program wrote anything but
   *   results into it; it is unchanged then
   */
  compact(): void {
    this.#compact(undefined);
  }

  /**
   * Adds `model` to all lines that name no requested model, and replaces the file atomically. The journal must
   * then be closed: it still has the old file.
   *
   * @throws {JournalError} as {@link compact} does
   */
  markModel(model: string): void {
    this.#compact(model);
  }

  #compact(model: string | undefined): void {
    this.flush();
    compactJournal({
      file: this.#file,
      contents: this.#contents,
      writer: this.#writer,
      sizeAtOpening: this.#sizeAtOpening,
      read: (index, model) => this.read(index, model),
    }, model);
  }

  /** Syncs and closes the file and releases its lock. Removes the file if it is new and empty. */
  close(): void {
    const { fd, path, lock, isNew } = this.#file;
    if (lock === undefined) return closeSync(fd);
    try {
      this.#writer.sync();
    } finally {
      const { size, ino } = fstatSync(fd);
      closeSync(fd);
      const isOurs = statSync(path, { throwIfNoEntry: false })?.ino === ino;
      if (isNew && size === 0 && isOurs) rmSync(path, { force: true });
      lock.release();
    }
  }
}
