/**
 * Sorts the file of a journal at the end of a batch, unless it is sorted, and detects other programs that changed it
 * while the batch ran.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { fstatSync } from "node:fs";
import { JournalError } from "../../errors.ts";
import { checkLines, compact, DamagedLineError, markedLine } from "./compact.ts";
import type { JournalContents } from "./contents.ts";
import { ExistingLine } from "./existing_line.ts";
import { checkForeignLines } from "./foreign_writers.ts";
import type { JournalWriter } from "./journal_writer.ts";
import type { JournalFile } from "./open_file.ts";
import { fileProblem } from "./output_file.ts";
import type { ResultRecord } from "./result_line.ts";

/** A journal whose results have been synced. */
export interface FinishedJournal {
  file: JournalFile;
  contents: JournalContents;
  writer: JournalWriter;
  /** The file's size when the batch started. */
  sizeAtOpening: number;
  /** Reads the result of the record `index` of the requested `model`. */
  read(index: number, model: string | undefined): ResultRecord;
}

/** The error for a record whose line is not where it was written. */
export function changedLine(name: string, index: number): JournalError {
  return new JournalError(
    `another program changed the line of record ${index} in ${name} while the batch ran`,
    { hint: "Remove that line, and run the same command again." },
  );
}

/**
 * Sorts the file by index, with one line per record and requested model, and replaces it atomically. Does not rewrite
 * a sorted file.
 *
 * @param model added to all lines that name no requested model, if it is given
 * @throws {JournalError} if the file cannot be replaced, or another program wrote anything but results into it; it is
 *   unchanged then
 */
export function compactJournal(journal: FinishedJournal, model: string | undefined): void {
  const { file, contents, writer, sizeAtOpening } = journal;
  const isTouched = writer.isTouched();
  if (isTouched) addForeignLines(journal);
  const { size } = writer;
  const known = { ...file, indexes: contents.indexes, runs: contents.runs };
  try {
    const change = model === undefined ? undefined : (line: Buffer) => markedLine(line, model);
    if (change === undefined && !isTouched && contents.isSorted(size)) {
      if (size > sizeAtOpening) checkLines(known, sizeAtOpening);
    } else compact(known, () => checkQuiet(file, size), change);
  } catch (error) {
    if (error instanceof JournalError) throw error;
    if (!(error instanceof DamagedLineError)) throw fileProblem(error, file.name);
    // This error has line numbers, if it finds the line.
    addForeignLines(journal);
    throw changedLine(file.name, error.index);
  }
}

/** Adds the results that other programs appended; throws if they wrote anything else. */
function addForeignLines({ file, contents, writer, sizeAtOpening, read }: FinishedJournal): void {
  const size = checkForeignLines({
    name: file.name,
    fd: file.fd,
    indexes: contents.indexes,
    sizeAtOpening,
    read,
    add: ({ offset, length }, record) =>
      contents.addExisting(new ExistingLine().setFrom(record), offset, length),
  });
  writer.accept(size);
}

/** Throws if something was appended while the file was being copied. */
function checkQuiet({ fd, name }: JournalFile, size: number): void {
  if (fstatSync(fd).size === size) return;
  throw new JournalError(`another program keeps writing to ${name}`, {
    hint: "All answers are in the file, but not sorted. Stop the other program, remove its " +
      "lines and run the same command again.",
  });
}
