/**
 * Passes the lines of a file to a function as bytes, without decoding or copying them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readSync } from "node:fs";
import { MAX_LINE } from "../files/lines.ts";

/** Bytes that are read at once. */
const CHUNK = 1 << 20;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const TAB = 9;

/** A line that is not blank, as bytes of a buffer that is reused: valid until the function returns. */
export interface ByteLine {
  buffer: Buffer;
  /** The position in `buffer` of its first byte that is not a space or byte order mark. */
  start: number;
  /** The position in `buffer` after its last byte that is not a space. */
  end: number;
  /** The position of `start` in the file. */
  offset: number;
  /** From 1. */
  number: number;
  /** Whether a newline ends it; only the last line can lack one. */
  ended: boolean;
  /** Whether it has more bytes than a string can have: only its start is there. */
  tooLong: boolean;
}

/** Trims spaces and a byte order mark. */
function trim(line: ByteLine): void {
  const { buffer } = line;
  // Editors write a byte order mark at the start; concatenated files have one at each seam.
  if (
    line.end - line.start >= 3 && buffer[line.start] === 0xef && buffer[line.start + 1] === 0xbb
  ) {
    line.start += 3;
  }
  const isSpace = (byte: number) =>
    byte === SPACE || byte === TAB || byte === RETURN || byte === NEWLINE;
  while (line.start < line.end && isSpace(buffer[line.start])) line.start++;
  while (line.end > line.start && isSpace(buffer[line.end - 1])) line.end--;
}

/**
 * Reads the first `size` bytes of the open file `fd`, and passes every line that is not blank to `visit`. Stops
 * when it returns `false`. Memory depends on the longest line only.
 */
export function visitLines(
  fd: number,
  size: number,
  visit: (line: ByteLine) => boolean | void,
): void {
  let buffer = Buffer.allocUnsafeSlow(CHUNK);
  /** Bytes in the buffer, which start at `base` in the file. */
  let length = 0;
  let base = 0;
  let number = 0;
  let isSkipping = false;
  const line: ByteLine = {
    buffer,
    start: 0,
    end: 0,
    offset: 0,
    number: 0,
    ended: true,
    tooLong: false,
  };
  const pass = (start: number, end: number, ended: boolean): boolean => {
    line.buffer = buffer;
    line.start = start;
    line.end = end;
    line.ended = ended;
    line.number = ++number;
    trim(line);
    line.offset = base + line.start;
    return line.start === line.end || visit(line) !== false;
  };
  while (true) {
    const wanted = Math.min(buffer.length - length, size - base - length);
    const read = wanted === 0 ? 0 : readSync(fd, buffer, length, wanted, base + length);
    if (read === 0) break;
    const searchFrom = length;
    length += read;
    // The search of a plain array is twice as fast as that of a Buffer in Deno.
    const view = new Uint8Array(buffer.buffer, buffer.byteOffset, length);
    let start = 0;
    for (
      let end = view.indexOf(NEWLINE, searchFrom);
      end >= 0;
      end = view.indexOf(NEWLINE, start)
    ) {
      if (!isSkipping && !pass(start, end, true)) return;
      isSkipping = false;
      start = end + 1;
    }
    if (isSkipping) start = length;
    if (start === 0 && length === buffer.length) {
      if (length >= MAX_LINE) {
        line.tooLong = true;
        if (!pass(0, 100, true)) return;
        line.tooLong = false;
        isSkipping = true;
        start = length;
      } else {
        const larger = Buffer.allocUnsafeSlow(Math.min(length * 2, MAX_LINE));
        buffer.copy(larger);
        buffer = larger;
        continue;
      }
    }
    const rest = length - start;
    if (buffer.length > CHUNK && rest < CHUNK) {
      // A long line is over: release its memory.
      const smaller = Buffer.allocUnsafeSlow(CHUNK);
      buffer.copy(smaller, 0, start, length);
      buffer = smaller;
    } else buffer.copyWithin(0, start, length);
    base += start;
    length = rest;
  }
  if (length > 0 && !isSkipping) pass(0, length, false);
}
