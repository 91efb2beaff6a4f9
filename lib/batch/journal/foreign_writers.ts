/**
 * Checks the lines that another program wrote into a result file while a batch was writing it.
 *
 * @module
 */
import { JournalError } from "../../errors.ts";
import { fingerprint } from "./fingerprint.ts";
import type { ModelIndexes } from "./model_indexes.ts";
import { readResultLines, type ResultLine } from "./read_results.ts";
import { lineIdentity, type ResultRecord } from "./result_line.ts";

/** Maximum lines that a message quotes. */
const SHOWN_LINES = 3;

/** A result file that another program wrote to. */
export interface TouchedFile {
  /** Its path as the user wrote it, for messages. */
  name: string;
  fd: number;
  indexes: ModelIndexes;
  /** The file's size when the batch started; everything before was checked then. */
  sizeAtOpening: number;
  /** Reads the result of the record `index` of the requested `model`. */
  read(index: number, model: string | undefined): ResultRecord;
  /** Adds a result that this run did not write. */
  add(line: ResultLine, record: ResultRecord): void;
}

function resultProblem(line: ResultLine, record: ResultRecord, file: TouchedFile) {
  // Earlier results may have been replaced by later ones.
  if (line.offset < file.sizeAtOpening) return undefined;
  const { index: i, requested_model: model } = record;
  const index = file.indexes.of(model);
  const state = index.state(i);
  if (state === "none") return void file.add(line, record);
  if (index.location(i).offset === line.offset) return undefined;
  const known = fingerprint(lineIdentity(file.read(i, model)));
  if (known !== fingerprint(lineIdentity(record))) {
    return `it is a result for different input than that of record ${i}`;
  }
  if (state === "error" && record.status === "success") file.add(line, record);
  return undefined;
}

/**
 * Checks every line of the file. Results that someone else appended are added if the file has none for
 * their record, and ignored if it has one with the same input. Returns the file's size.
 *
 * @throws {JournalError} naming the lines that are no results, or results for different input: they
 *   are not ours to remove
 */
export function checkForeignLines(file: TouchedFile): number {
  const foreign: string[] = [];
  const lines = readResultLines(file.fd);
  let step = lines.next();
  for (; !step.done; step = lines.next()) {
    const line = step.value;
    const record = line.parse();
    const problem = typeof record === "string" ? record : resultProblem(line, record, file);
    if (problem !== undefined) foreign.push(`${file.name}:${line.number}: ${problem}`);
  }
  if (foreign.length === 0) return step.value.size;
  const more = foreign.length - SHOWN_LINES;
  throw new JournalError(
    [
      `another program wrote to ${file.name} while the batch ran:`,
      ...foreign.slice(0, SHOWN_LINES),
      ...more > 0 ? [`… and ${more} more lines`] : [],
    ].join("\n"),
    {
      hint: "All answers are in the file, but not sorted. Remove those lines and run the same " +
        "command again: it sorts the file and sends only the missing records.",
    },
  );
}
