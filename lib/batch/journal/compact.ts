/**
 * Sorts a result file by index, one line per record and model, by copying it in flat memory and replacing it.
 *
 * Each line's start and end are checked before it is copied. So lines that another program moved or overwrote
 * are detected instead of copied.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { fstatSync } from "node:fs";
import { BufferedWriter } from "../../files/buffered_writer.ts";
import { writeAll } from "../../files/write_all.ts";
import { replaceWith } from "./copy_file.ts";
import { parseLine } from "./parse_line.ts";
import type { ModelIndexes } from "./model_indexes.ts";
import { WindowedReader } from "./windowed_reader.ts";

/** Thrown when the line of a record is not where it was written. */
export class DamagedLineError extends Error {
  /** @param index the record's index */
  constructor(readonly index: number) {
    super(`another program changed the line of record ${index}`);
  }
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
const ZERO = 0x30;
const CLOSING_BRACE = 0x7d;
/** The start of every line, which the Python tool writes with a space after the colon. */
const START = [...'{"index":'].map((character) => character.charCodeAt(0));

/** The index at the start of a line; `undefined` if the line starts differently. */
function leadingIndex(line: Buffer): number | undefined {
  for (let i = 0; i < START.length; i++) if (line[i] !== START[i]) return undefined;
  let at = START.length;
  if (line[at] === SPACE) at++;
  let index = 0;
  const first = at;
  for (let digit = line[at] - ZERO; digit >= 0 && digit <= 9; digit = line[++at] - ZERO) {
    index = index * 10 + digit;
  }
  return at === first ? undefined : index;
}

/** Whether `line`, which should be `length` bytes with its newline, is the result of `index`. */
function isLineOf(line: Buffer, length: number, index: number): boolean {
  if (line.indexOf(NEWLINE) !== length - 1) return false;
  if (line[length - 2] === CLOSING_BRACE && leadingIndex(line) === index) return true;
  const record = parseLine(line.toString("utf8", 0, length - 1));
  return typeof record === "object" && record.index === index;
}

/** The file to compact. */
export interface CompactFile {
  path: string;
  fd: number;
  indexes: ModelIndexes;
  /** The approximate number of sorted runs in it. */
  runs: number;
}

/** Yields the checked lines of each record in index order, from the file offset `from` on. */
function* checkedLines({ fd, indexes, runs }: Omit<CompactFile, "path">, from = 0) {
  const all = indexes.all();
  const reader = new WindowedReader(fd, runs);
  for (let i = 0; i < indexes.end; i++) {
    for (const index of all) {
      if (index.state(i) === "none") continue;
      const { offset, length } = index.location(i);
      if (offset < from) continue;
      const line = reader.read(offset, offset + length + 1);
      if (!isLineOf(line, length + 1, i)) throw new DamagedLineError(i);
      yield line;
    }
  }
}

/**
 * Checks that every line from the file offset `from` on is where it was written.
 *
 * @throws {DamagedLineError} at the first that is not
 */
export function checkLines(file: Omit<CompactFile, "path">, from: number): void {
  for (const _ of checkedLines(file, from));
}

/**
 * Replaces the file with its records in index order.
 *
 * @param beforeReplacing called when the copy is complete; the file is unchanged if it throws
 * @param change changes each line, which ends in a newline
 * @throws {DamagedLineError} if a line is not where it was written; then the file is unchanged
 * @throws a file system error; then the file is unchanged
 */
export function compact(
  file: CompactFile,
  beforeReplacing: () => void,
  change: (line: Buffer) => Buffer = (line) => line,
): void {
  replaceWith(file.path, fstatSync(file.fd).mode, (target) => {
    const writer = new BufferedWriter((bytes) => writeAll(target, bytes));
    for (const line of checkedLines(file)) writer.bytes(change(line));
    writer.flush();
    beforeReplacing();
  });
}

/** Adds `model` as the requested model to a line, unless the line names one. */
export function markedLine(line: Buffer, model: string): Buffer {
  const text = line.toString("utf8");
  const record = parseLine(text);
  if (typeof record === "string" || record.requested_model !== undefined) return line;
  const [start] = /^\{\s*"index"\s*:\s*\d+(?=\s*[,}])/.exec(text) ?? [];
  const field = `"requested_model":${JSON.stringify(model)},`;
  // A line of another program may start with another field. The rest stays as it is written.
  const marked = start === undefined
    ? text.replace("{", () => `{"index":${record.index},${field}`)
    : `${start},${field.slice(0, -1)}${text.slice(start.length)}`;
  return Buffer.from(marked);
}
