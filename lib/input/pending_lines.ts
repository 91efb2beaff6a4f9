/**
 * Remembers which lines of an input a run has to send, in about two bytes each: the distance to the line before.
 *
 * @module
 */

/** A record that has to be sent. */
export interface PendingLine {
  /** The record's index. */
  index: number;
  /** The number of its file in the input, from 0. */
  file: number;
  /** The line's number in the file, from 1. */
  number: number;
  /** Byte offset of the line's start. */
  offset: number;
}

/** Bytes per page. Growing by pages never copies. */
const PAGE = 1 << 16;
/** Maximum bytes of one number. */
const MAX_BYTES = 8;
/** Each byte of a number has 7 of its bits, and whether another byte follows. */
const BASE = 128;

/** Lines in the order of the input: their indexes rise, and so do their numbers and offsets within a file. */
export class PendingLines {
  readonly #pages: Uint8Array[] = [];
  /** The number of bytes in the last page. */
  #used = PAGE;
  /** The files that have lines, and the positions of their first ones. */
  readonly #files: { file: number; from: number }[] = [];
  #last = { index: -1, number: 0, offset: 0 };
  #length = 0;

  /** The number of lines. */
  get length(): number {
    return this.#length;
  }

  /** Adds a line. */
  add({ index, file, number, offset }: PendingLine): void {
    const { index: lastIndex } = this.#last;
    if (this.#files.at(-1)?.file !== file) {
      this.#files.push({ file, from: this.#length });
      this.#last = { index: lastIndex, number: 0, offset: 0 };
    }
    const last = this.#last;
    const isNext = index === last.index + 1 && number === last.number + 1;
    this.#write((offset - last.offset) * 2 + (isNext ? 0 : 1));
    if (!isNext) {
      this.#write(index - last.index);
      this.#write(number - last.number);
    }
    last.index = index;
    last.number = number;
    last.offset = offset;
    this.#length++;
  }

  /** Yields the lines in order. */
  *[Symbol.iterator](): Generator<PendingLine, void, void> {
    const reader = new NumberReader(this.#pages);
    let [index, number, offset] = [-1, 0, 0];
    for (let n = 0, f = -1; n < this.#length; n++) {
      if (this.#files[f + 1]?.from === n) {
        f++;
        number = offset = 0;
      }
      const distance = reader.next();
      const isNext = distance % 2 === 0;
      offset += Math.floor(distance / 2);
      index += isNext ? 1 : reader.next();
      number += isNext ? 1 : reader.next();
      yield { index, file: this.#files[f].file, number, offset };
    }
  }

  #write(value: number): void {
    if (this.#used + MAX_BYTES > PAGE) {
      this.#pages.push(new Uint8Array(PAGE));
      this.#used = 0;
    }
    const page = this.#pages[this.#pages.length - 1];
    for (; value >= BASE; value = Math.floor(value / BASE)) {
      page[this.#used++] = value % BASE + BASE;
    }
    page[this.#used++] = value;
  }
}

/** Reads numbers in the order in which they were written. */
class NumberReader {
  readonly #pages: readonly Uint8Array[];
  #page = 0;
  #at = 0;

  constructor(pages: readonly Uint8Array[]) {
    this.#pages = pages;
  }

  next(): number {
    // The same rule as when it was written.
    if (this.#at + MAX_BYTES > PAGE) {
      this.#page++;
      this.#at = 0;
    }
    const bytes = this.#pages[this.#page];
    let value = 0;
    for (let factor = 1;; factor *= BASE) {
      const byte = bytes[this.#at++];
      if (byte < BASE) return value + byte * factor;
      value += (byte - BASE) * factor;
    }
  }
}
