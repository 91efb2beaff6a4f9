/**
 * Appends lines to a journal's file, and detects other programs that change it.
 *
 * @module
 */
import { JournalError } from "../../errors.ts";
import { AppendFile, TruncatedError } from "./append_file.ts";
import { FileGuard } from "./file_guard.ts";
import { type JournalLine, LineEncoder } from "./line_encoder.ts";
import type { JournalFile } from "./open_file.ts";
import { fileProblem } from "./output_file.ts";
import type { ModelIndexes } from "./model_indexes.ts";
import type { LineFacts } from "./result_line.ts";

/** Where lines were written. */
export interface WrittenLines {
  /** Byte offset of each line. */
  offsets: number[];
  /** Bytes of each line, with its newline. */
  lengths: number[];
}

/** The writer of one open result file. */
export class JournalWriter {
  readonly #name: string;
  readonly #appender: AppendFile;
  readonly #guard: FileGuard;
  readonly #encoder = new LineEncoder();
  readonly #spentOn: (line: LineFacts) => number;

  /**
   * @param file the open file
   * @param size the end of its last whole line
   * @param indexes the costs of earlier answers, which are added to lines that replace them
   */
  constructor(file: JournalFile, size: number, indexes: ModelIndexes) {
    this.#name = file.name;
    this.#appender = new AppendFile(file.fd, size);
    this.#guard = new FileGuard(file);
    this.#spentOn = ({ index, requested_model }) => indexes.of(requested_model).spentOn(index);
  }

  /** The end of the known part of the file. */
  get size(): number {
    return this.#appender.size;
  }

  /** Whether another program has appended to the file or truncated it. */
  isTouched(): boolean {
    return this.#appender.isTouched();
  }

  /** Marks what other programs appended, up to `size`, as read. */
  accept(size: number): void {
    this.#appender.accept(size);
  }

  /**
   * Writes lines. The caller then calls {@link checkIfDue}.
   *
   * @throws {JournalError} if another process is writing the file, or it cannot be written
   */
  write(lines: readonly JournalLine[]): WrittenLines {
    if (this.#guard.isCheckDue()) this.#guard.checkLock();
    const { bytes, lengths } = this.#encoder.encode(lines, this.#spentOn);
    const wasTouched = this.#appender.wasTouched;
    try {
      return { offsets: this.#appender.append(bytes, lengths), lengths };
    } catch (error) {
      if (!(error instanceof TruncatedError)) throw fileProblem(error, this.#name);
      throw new JournalError(`${this.#name} was truncated by another program while the batch ran`, {
        hint: "Some results are lost. Run the same command again to send those records again.",
      });
    } finally {
      // Another writer may also have taken the lock.
      if (!wasTouched && this.#appender.wasTouched) this.#guard.checkSoon();
    }
  }

  /**
   * Checks about once a second that the file is still at its path and locked.
   *
   * @throws {JournalError} if not; the message says where the results are
   */
  checkIfDue(): void {
    if (this.#guard.isCheckDue()) this.#guard.check();
  }

  /**
   * Syncs everything written to disk.
   *
   * @throws a file system error
   */
  sync(): void {
    this.#appender.sync();
  }

  /**
   * Syncs everything written to disk, and checks the file.
   *
   * @throws {JournalError} if it cannot be synced or was replaced; the message says where the results are
   */
  flush(): void {
    try {
      this.sync();
    } catch (error) {
      throw fileProblem(error, this.#name);
    }
    this.#guard.check();
  }
}
