/**
 * Lines that another program wrote into a result file while a batch was writing it.
 *
 * @module
 */
import { JournalError } from "../../errors.ts";
import { fingerprint } from "./fingerprint.ts";
import { comparedLine, type ResultRecord } from "./result_line.ts";
import type { RecordIndex } from "./record_index.ts";
import { readResultLines, type ResultLine } from "./read_results.ts";

/** How many foreign lines a message names. */
const SHOWN_LINES = 3;

/** What is known of the file. */
export interface KnownFile {
  /** As the user named it. */
  name: string;
  fd: number;
  index: RecordIndex;
  /** The size of the file when the batch began; what was before that has been checked then. */
  sizeAtOpening: number;
  /** Reads the result of `index` from its place. */
  read(index: number): ResultRecord;
  /** Takes in the result of a line that this run did not write. */
  take(line: ResultLine, record: ResultRecord): void;
}

function resultProblem(
  line: ResultLine,
  record: ResultRecord,
  file: KnownFile,
): string | undefined {
  // Results that later ones replaced.
  if (line.offset < file.sizeAtOpening) return undefined;
  const state = file.index.state(record.index);
  if (state === "none") return void file.take(line, record);
  if (file.index.place(record.index).offset === line.offset) return undefined;
  const known = fingerprint(comparedLine(file.read(record.index)));
  if (known !== fingerprint(comparedLine(record))) {
    return `it is a result for different input than that of record ${record.index}`;
  }
  if (state === "error" && record.status === "success") file.take(line, record);
  return undefined;
}

/**
 * Looks through a file that was touched by another program. Results that someone else appended are taken
 * in where the file has none, and ignored where it has one of the same input. Returns the file's size.
 *
 * @throws {JournalError} naming the lines that are no results, or results of another input: they
 *   are not ours to remove
 */
export function checkForeignLines(file: KnownFile): number {
  const foreign: string[] = [];
  const lines = readResultLines(file.fd);
  let step = lines.next();
  for (; !step.done; step = lines.next()) {
    const line = step.value;
    const { record } = line;
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
      hint: "All answers are in the file, but not in order. Remove those lines and run the same " +
        "command again: it sorts the file and sends only what is missing.",
    },
  );
}
