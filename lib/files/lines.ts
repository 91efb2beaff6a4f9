/**
 * Reads the lines of a file in order or by offset, fast and in flat memory.
 *
 * @module
 */
import { Buffer, isUtf8 } from "node:buffer";
import { readSync } from "node:fs";
import { collectGarbage } from "../runtime/runtime.ts";

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

/** A line as bytes of a buffer that is reused: valid until the next line is read. */
export interface ByteLine extends Omit<Line, "text"> {
  bytes: Buffer;
  /** The position in `bytes` of its first byte. */
  start: number;
  /** The position in `bytes` after its last byte, without its newline. If it is too long, after those kept. */
  end: number;
}

/**
 * Fills a buffer from a position of a file. Returns the number of bytes, which is smaller than the
 * buffer only at the end of the file, and 0 beyond it.
 */
export type ReadBytes = (buffer: Buffer, position: number) => number;

/** Files are read in chunks of this size, at multiples of it. */
const CHUNK = 1 << 20;
/** Bytes of garbage after which it is collected, and those of what is made of a line, besides its text. */
const MAX_GARBAGE = 1 << 24;
const LINE_GARBAGE = 512;
const NEWLINE = 10;
const { indexOf: findByte, lastIndexOf: findLastByte } = Uint8Array.prototype;
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

/**
 * Yields the lines of `file`, an open file or a function that reads one, from its start. Each time the same
 * object, with other values.
 *
 * @param maxLength maximum bytes of a line; of a longer one only the start is kept
 */
export function* readByteLines(
  file: number | ReadBytes,
  maxLength: number = MAX_LINE,
): Generator<ByteLine, void, void> {
  const readBytes = readerOf(file);
  const chunk = Buffer.allocUnsafeSlow(CHUNK);
  const line: ByteLine = {
    bytes: chunk,
    start: 0,
    end: 0,
    number: 0,
    offset: 0,
    length: 0,
    ended: true,
    valid: true,
    tooLong: false,
  };
  const carried = new CarriedBytes(maxLength);
  let position = 0;
  /** The estimated garbage since it was last collected, and the lines that it includes. */
  let [garbage, counted] = [0, 0];
  while (true) {
    const read = readBytes(chunk, position);
    if (read === 0) break;
    position += read;
    const view = chunk.subarray(0, read);
    let start = 0;
    let end = indexOfNewline(view);
    if (carried.length > 0 && end >= 0) {
      carried.add(view.subarray(0, end));
      yield carried.takeLine(line, true);
      line.offset += line.length + 1;
      start = end + 1;
      end = indexOfNewline(view, start);
    }
    line.bytes = view;
    const last = findLastByte.call(view, NEWLINE);
    // Usually all lines are valid, which is faster to find out for all of them.
    const areValid = last < start || isUtf8(view.subarray(start, last));
    for (; end >= 0; end = indexOfNewline(view, start)) {
      line.start = start;
      line.length = end - start;
      line.tooLong = line.length > maxLength;
      line.end = line.tooLong ? start + KEPT : end;
      line.number++;
      line.valid = areValid || isUtf8(view.subarray(start, end));
      yield line;
      line.offset += line.length + 1;
      start = end + 1;
    }
    carried.add(view.subarray(start));
    garbage += read + (line.number - counted) * LINE_GARBAGE;
    counted = line.number;
    if (garbage > MAX_GARBAGE) {
      collectGarbage();
      garbage = 0;
    }
  }
  if (carried.length > 0) yield carried.takeLine(line, false);
}

/** The start of a line that continues in the next chunk. */
class CarriedBytes {
  readonly #maxLength: number;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  get length(): number {
    return this.#length;
  }

  /** Adds a copy of `bytes`, unless the line is too long already. */
  add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#length <= this.#maxLength) this.#parts.push(Buffer.from(bytes));
    else this.#parts.length = 1;
    this.#length += bytes.length;
  }

  /** Sets `line` to the line that is complete now, and forgets it. */
  takeLine(line: ByteLine, ended: boolean): ByteLine {
    line.tooLong = this.#length > this.#maxLength;
    line.bytes = line.tooLong ? this.#parts[0].subarray(0, KEPT) : Buffer.concat(this.#parts);
    line.valid = line.tooLong || isUtf8(line.bytes);
    line.start = 0;
    line.end = line.bytes.length;
    line.length = this.#length;
    line.number++;
    line.ended = ended;
    this.#parts = [];
    this.#length = 0;
    return line;
  }
}

/** The text of `line`. */
export function decodeLine({ bytes, start, end, valid, tooLong }: ByteLine): LineText {
  const text = bytes.toString("utf8", start, end);
  // The last character of those that are kept may be incomplete.
  return { text: tooLong ? text.replace(/\ufffd+$/, "") : text, valid, tooLong };
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
  for (const line of readByteLines(file, maxLength)) {
    const { number, offset, length, ended } = line;
    const { text, valid, tooLong } = decodeLine(line);
    yield { text, valid, tooLong, number, offset, length, ended };
  }
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
