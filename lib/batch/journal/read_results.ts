/**
 * Reads a result file line by line.
 *
 * @module
 */
import { readLinesSync } from "../../files/lines.ts";
import { parseLine } from "./parse_line.ts";
import type { ResultRecord } from "./result_line.ts";

/** A line of a result file that is not blank. */
export interface ResultLine {
  /** From 1. */
  number: number;
  /** Byte offset of its start. */
  offset: number;
  /** Bytes, without its newline. */
  length: number;
  /** Its record, or the reason why it is not one. */
  record: ResultRecord | string;
  /** Whether it looks like a record that was only partly written. */
  isTorn: boolean;
}

/** The start of every record, also in files of the Python tool. */
const START = '{"index":';
const BOM = "\ufeff";
const BOM_BYTES = 3;

/** Whether a crash may have left `text`: the start of a record, or the zeros of unwritten blocks. */
function isTornText(text: string): boolean {
  return text.startsWith(START) || START.startsWith(text) || /^\0+$/.test(text);
}

/** Yields the lines of the open result file `fd`, except blank ones. Returns the file's size. */
export function* readResultLines(
  fd: number,
): Generator<ResultLine, { size: number; isEnded: boolean }, void> {
  let size = 0;
  let isEnded = true;
  for (const line of readLinesSync(fd)) {
    size = line.offset + line.length + Number(line.ended);
    isEnded = line.ended;
    let { text, offset, length } = line;
    // Editors write a byte order mark at the start; concatenated files have one at each seam.
    if (text.startsWith(BOM)) {
      text = text.slice(1);
      offset += BOM_BYTES;
      length -= BOM_BYTES;
    }
    if (text.trim() === "") continue;
    const record = line.valid ? parseLine(text) : "it is not UTF-8";
    const isTorn = !line.ended && typeof record === "string" && isTornText(text);
    yield { number: line.number, offset, length, record, isTorn };
  }
  return { size, isEnded };
}
