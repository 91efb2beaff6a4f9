/**
 * Reads a result file line by line.
 *
 * @module
 */
import { readLinesSync } from "../../files/lines.ts";
import { readRecord, type ResultRecord } from "./result_line.ts";

/** A line of a result file that is not blank. */
export interface ResultLine {
  /** Counted from 1. */
  number: number;
  /** The place of its first byte. */
  offset: number;
  /** Bytes, without its end. */
  length: number;
  /** Its record, or what is wrong with it. */
  record: ResultRecord | string;
  /** Whether it may be a record of which only the beginning was written. */
  isTorn: boolean;
}

/** How every record begins, here and in the Python tool. */
const BEGINNING = '{"index":';
const BOM = "\ufeff";
const BOM_BYTES = 3;

/** What a crash leaves: the beginning of a record, or the zeros of blocks that were never written. */
function isTornText(text: string): boolean {
  return text.startsWith(BEGINNING) || BEGINNING.startsWith(text) || /^\0+$/.test(text);
}

/** Yields the lines of the result file open as `fd`, blank ones left out; returns the file's size. */
export function* readResultLines(
  fd: number,
): Generator<ResultLine, { size: number; isEnded: boolean }, void> {
  let size = 0;
  let isEnded = true;
  for (const line of readLinesSync(fd)) {
    size = line.offset + line.length + Number(line.ended);
    isEnded = line.ended;
    let { text, offset, length } = line;
    // Editors write a byte order mark at the start; joined files have one at each seam.
    if (text.startsWith(BOM)) {
      text = text.slice(1);
      offset += BOM_BYTES;
      length -= BOM_BYTES;
    }
    if (text.trim() === "") continue;
    const record = line.valid ? readRecord(text) : "it is not UTF-8";
    const isTorn = !line.ended && typeof record === "string" && isTornText(text);
    yield { number: line.number, offset, length, record, isTorn };
  }
  return { size, isEnded };
}
