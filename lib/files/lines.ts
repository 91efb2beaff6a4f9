/**
 * Reads the lines of a file in order or by offset, fast and in flat memory.
 *
 * @module
 */
import { Buffer, isUtf8 } from "node:buffer";
import { readSync } from "node:fs";

/** The text of a line. */
export interface LineText {
  /** Without its newline. Bytes that are not UTF-8 are replaced. */
  text: string;
  /** Whether all bytes are UTF-8. */
  valid: boolean;
  /** Whether the line is too long to be read: `text` is only its start. */
  tooLong?: boolean;
}

/** A line and its position. */
export interface Line extends LineText {
  /** From 1. */
  number: number;
  /** Byte offset of its start. */
  offset: number;
  /** Bytes, without its newline. */
  length: number;
  /** Whether a newline ends it; only the last line can lack one. */
  ended: boolean;
}

/**
 * Fills a buffer from a position of a file. Returns the number of bytes, which is smaller than the
 * buffer only at the end of the file, and 0 beyond it.
 */
export type ReadBytes = (buffer: Buffer, position: number) => number;

/** Files are read in chunks of this size, at multiples of it. */
const CHUNK = 1 << 20;
const NEWLINE = 10;
const { indexOf: findByte } = Uint8Array.prototype;
/** Maximum bytes of a line. A string of one of the runtimes has at most 512 MB. */
export const MAX_LINE = 256 * 1024 * 1024;
/** Bytes of a longer line that are kept. */
const KEPT = 100;

/**
 * The position of the first newline from `start` on; -1 if there is none.
 *
 * Not `Buffer.prototype.indexOf`, which is much slower on Deno.
 */
export function indexOfNewline(bytes: Uint8Array, start = 0): number {
  return findByte.call(bytes, NEWLINE, start);
}

/** The text from `start` to `end`. */
function decode(bytes: Buffer, start: number, end: number): LineText {
  const text = bytes.toString("utf8", start, end);
  const valid = !text.includes("\ufffd") || isUtf8(bytes.subarray(start, end));
  return { text, valid };
}

function readerOf(file: number | ReadBytes): ReadBytes {
  return typeof file === "function"
    ? file
    : (buffer, position) => readSync(file, buffer, 0, buffer.length, position);
}

function decodeStart(bytes: Buffer): LineText {
  const text = bytes.toString("utf8", 0, KEPT).replace(/\ufffd+$/, "");
  return { text, valid: true, tooLong: true };
}

/**
 * Yields the lines of `file`, an open file or a function that reads one, from its start.
 *
 * @param maxLength maximum bytes of a line; of a longer one only the start is kept
 */
export function* readLinesSync(
  file: number | ReadBytes,
  maxLength: number = MAX_LINE,
): Generator<Line, void, void> {
  const readBytes = readerOf(file);
  const chunk = Buffer.allocUnsafeSlow(CHUNK);
  let carried: Buffer[] = [];
  let carriedLength = 0;
  let offset = 0;
  let number = 0;
  let position = 0;
  while (true) {
    const read = readBytes(chunk, position);
    if (read === 0) break;
    position += read;
    const view = chunk.subarray(0, read);
    let start = 0;
    for (let end = indexOfNewline(view); end >= 0; end = indexOfNewline(view, start)) {
      const length = carriedLength + end - start;
      const { text, valid, tooLong } = lineText(length, carried, view, start, end, maxLength);
      yield { text, valid, tooLong, number: ++number, offset, length, ended: true };
      offset += length + 1;
      if (carriedLength > 0) {
        carried = [];
        carriedLength = 0;
      }
      start = end + 1;
    }
    if (start < read) {
      if (carriedLength <= maxLength) carried.push(Buffer.from(view.subarray(start)));
      else if (carried.length > 1) carried = [carried[0]];
      carriedLength += read - start;
    }
  }
  if (carriedLength > 0) {
    const text = lineText(carriedLength, carried, chunk, 0, 0, maxLength);
    yield { ...text, number: ++number, offset, length: carriedLength, ended: false };
  }
}

/** The text of a line of `length` bytes: those that were carried from earlier chunks, and those in `chunk`. */
function lineText(
  length: number,
  carried: readonly Buffer[],
  chunk: Buffer,
  start: number,
  end: number,
  maxLength: number,
): LineText {
  if (length > maxLength) return decodeStart(carried[0] ?? chunk.subarray(start, end));
  if (carried.length === 0) return decode(chunk, start, end);
  return decode(Buffer.concat([...carried, chunk.subarray(start, end)]), 0, length);
}

/** Reads single lines of a file. Reading them in ascending order reads each chunk at most once. */
export class LineReader {
  readonly #read: ReadBytes;
  readonly #memory = Buffer.allocUnsafeSlow(CHUNK);
  #position = -1;
  #chunk = this.#memory.subarray(0, 0);

  /** @param file an open file, or a function that reads one */
  constructor(file: number | ReadBytes) {
    this.#read = readerOf(file);
  }

  /** The line that starts at the byte `offset`. */
  at(offset: number): LineText {
    let position = offset - offset % CHUNK;
    let start = offset - position;
    const parts: Buffer[] = [];
    while (true) {
      this.#load(position);
      const newline = indexOfNewline(this.#chunk, start);
      const isLast = newline >= 0 || this.#chunk.length < CHUNK;
      const end = newline < 0 ? this.#chunk.length : newline;
      if (isLast && parts.length === 0) return decode(this.#chunk, start, end);
      const part = this.#chunk.subarray(start, end);
      if (isLast) {
        const line = Buffer.concat([...parts, part]);
        return decode(line, 0, line.length);
      }
      parts.push(Buffer.from(part));
      position += CHUNK;
      start = 0;
    }
  }

  #load(position: number): void {
    if (position === this.#position) return;
    this.#chunk = this.#memory.subarray(0, this.#read(this.#memory, position));
    this.#position = position;
  }
}
