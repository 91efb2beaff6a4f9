/**
 * Reads a file's lines with their places, fast and in flat memory.
 *
 * @module
 */
import { Buffer, isUtf8 } from "node:buffer";
import { readSync } from "node:fs";

/** A line and where it stands. */
export interface Line {
  /** Without its end. */
  text: string;
  /** Counted from 1. */
  number: number;
  /** The place of its first byte. */
  offset: number;
  /** Bytes, without its end. */
  length: number;
  /** Whether a newline ends it; only the last line may lack one. */
  ended: boolean;
  /** Whether it is UTF-8; what is not has been replaced in `text`. */
  valid: boolean;
}

/** Fills a buffer with a file's bytes from a position; returns how many there were, 0 at its end. */
export type ReadBytes = (buffer: Buffer, position: number) => number;

const CHUNK = 1 << 20;
const NEWLINE = 10;

function decodeLine(bytes: Buffer): { text: string; valid: boolean } {
  const text = bytes.toString("utf8");
  return { text, valid: !text.includes("\ufffd") || isUtf8(bytes) };
}

/** Yields the lines of `file`, an open file or a reader of one, from its start. */
export function* readLinesSync(file: number | ReadBytes): Generator<Line, void, void> {
  const readBytes: ReadBytes = typeof file === "function"
    ? file
    : (buffer, position) => readSync(file, buffer, 0, buffer.length, position);
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
    for (let end = view.indexOf(NEWLINE); end >= 0; end = view.indexOf(NEWLINE, start)) {
      const last = view.subarray(start, end);
      const bytes = carriedLength === 0 ? last : Buffer.concat([...carried, last]);
      const { length } = bytes;
      yield { ...decodeLine(bytes), number: ++number, offset, length, ended: true };
      offset += length + 1;
      carried = [];
      carriedLength = 0;
      start = end + 1;
    }
    if (start < read) {
      carried.push(Buffer.from(view.subarray(start)));
      carriedLength += read - start;
    }
  }
  if (carriedLength > 0) {
    const bytes = Buffer.concat(carried);
    const { length } = bytes;
    yield { ...decodeLine(bytes), number: ++number, offset, length, ended: false };
  }
}
