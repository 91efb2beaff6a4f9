/**
 * Reads a result file line by line.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { type ByteLine, readByteLines } from "../../files/lines.ts";
import { parseLine } from "./parse_line.ts";
import type { ResultRecord } from "./result_line.ts";

/** The start of every record, also in files of the Python tool. */
const START = '{"index":';
const OPEN_BRACE = 0x7b;
/** A byte order mark in UTF-8. */
const BOM = [0xef, 0xbb, 0xbf];

/** A line of a result file that is not blank. Valid until the next one is read. */
export class ResultLine {
  /** From 1. */
  number = 0;
  /** Byte offset of its start. */
  offset = 0;
  /** Bytes, without its newline. */
  length = 0;
  /** A buffer that has its bytes, from `start` to `end`. */
  bytes!: Buffer;
  start = 0;
  end = 0;
  /** Whether it is UTF-8. */
  valid = true;
  /** Whether a newline ends it; only the last line can lack one. */
  ended = true;

  /** Sets it to `line`, without a byte order mark. Returns whether it is not blank. */
  set(line: ByteLine): boolean {
    const { bytes, start, end } = line;
    // Editors write one at the start; concatenated files have one at each seam.
    const mark = end - start >= BOM.length && BOM.every((byte, i) => bytes[start + i] === byte)
      ? BOM.length
      : 0;
    this.number = line.number;
    this.offset = line.offset + mark;
    this.length = line.length - mark;
    this.bytes = bytes;
    this.start = start + mark;
    this.end = end;
    this.valid = line.valid;
    this.ended = line.ended;
    return bytes[this.start] === OPEN_BRACE || this.#text().trim() !== "";
  }

  /** Its record, or the reason why it is not one. */
  parse(): ResultRecord | string {
    return this.valid ? parseLine(this.#text()) : "it is not UTF-8";
  }

  /** Whether a crash may have left it, if it is no record: the start of one, the zeros of unwritten blocks, or both. */
  get isTorn(): boolean {
    if (this.ended) return false;
    const text = this.#text();
    if (text.startsWith(START)) return true;
    const start = /^([^\0]*)\0*$/.exec(text)?.[1];
    return start !== undefined && START.startsWith(start);
  }

  #text(): string {
    return this.bytes.toString("utf8", this.start, this.end);
  }
}

/**
 * Yields the lines of the open result file `fd`, except blank ones; each time the same object. Returns the file's
 * size.
 */
export function* readResultLines(
  fd: number,
): Generator<ResultLine, { size: number; isEnded: boolean }, void> {
  const result = new ResultLine();
  let size = 0;
  let isEnded = true;
  for (const line of readByteLines(fd)) {
    size = line.offset + line.length + Number(line.ended);
    isEnded = line.ended;
    if (result.set(line)) yield result;
  }
  return { size, isEnded };
}
