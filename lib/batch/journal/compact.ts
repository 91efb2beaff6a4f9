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
import { indexOfNewline } from "../../files/lines.ts";
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

const SPACE = 0x20;
const ZERO = 0x30;
const CLOSING_BRACE = 0x7d;
/** The start of every line, which the Python tool writes with a space after the colon. */
const START = [...'{"index":'].map((character) => character.charCodeAt(0));

/** The index at the start of the line at `start`; `undefined` if the line starts differently. */
function leadingIndex(bytes: Buffer, start: number): number | undefined {
  for (let i = 0; i < START.length; i++) if (bytes[start + i] !== START[i]) return undefined;
  let at = start + START.length;
  if (bytes[at] === SPACE) at++;
  let index = 0;
  const first = at;
  for (let digit = bytes[at] - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at] - ZERO) {
    index = index * 10 + digit;
  }
  return at === first ? undefined : index;
}

/** Whether the bytes from `start` to `end` are one line with its newline, the result of `index`. */
function isLineOf(bytes: Buffer, start: number, end: number, index: number): boolean {
  if (indexOfNewline(bytes, start) !== end - 1) return false;
  if (bytes[end - 2] === CLOSING_BRACE && leadingIndex(bytes, start) === index) return true;
  const record = parseLine(bytes.toString("utf8", start, end - 1));
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

/** Takes lines, newlines included: the bytes from `start` to `end`, which are reused after the next call. */
type TakeLines = (bytes: Buffer, start: number, end: number) => void;

/** Checks the line of each record from the file offset `from` on, and passes it to `take`, in index order. */
function takeLines(
  { fd, indexes, runs }: Omit<CompactFile, "path">,
  from: number,
  take: TakeLines,
): void {
  const all = indexes.all();
  const reader = new WindowedReader(fd, runs);
  const { end: count } = indexes;
  for (let i = 0; i < count; i++) {
    for (const index of all) {
      if (index.state(i) === "none") continue;
      const { offset, length } = index.location(i);
      if (offset < from) continue;
      reader.select(offset, offset + length + 1);
      const { bytes, start } = reader;
      const end = offset - start + length + 1;
      if (!isLineOf(bytes, offset - start, end, i)) throw new DamagedLineError(i);
      take(bytes, offset - start, end);
    }
  }
}

/** Joins lines that follow each other in memory, so that they are copied together. */
class LineJoiner {
  readonly #take: TakeLines;
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  constructor(take: TakeLines) {
    this.#take = take;
  }

  add(bytes: Buffer, start: number, end: number): void {
    if (bytes !== this.#bytes || start !== this.#end) {
      this.flush();
      this.#bytes = bytes;
      this.#start = start;
    }
    this.#end = end;
  }

  flush(): void {
    if (this.#end > this.#start) this.#take(this.#bytes, this.#start, this.#end);
    this.#start = this.#end;
  }
}

/**
 * Checks that every line from the file offset `from` on is where it was written.
 *
 * @throws {DamagedLineError} at the first that is not
 */
export function checkLines(file: Omit<CompactFile, "path">, from: number): void {
  takeLines(file, from, () => {});
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
  change?: (line: Buffer) => Buffer,
): void {
  replaceWith(file.path, fstatSync(file.fd).mode, (target) => {
    const writer = new BufferedWriter((bytes) => writeAll(target, bytes));
    if (change === undefined) {
      const joiner = new LineJoiner((bytes, start, end) =>
        writer.bytes(bytes.subarray(start, end))
      );
      takeLines(file, 0, (bytes, start, end) => joiner.add(bytes, start, end));
      joiner.flush();
    } else {
      takeLines(file, 0, (bytes, start, end) => writer.bytes(change(bytes.subarray(start, end))));
    }
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
