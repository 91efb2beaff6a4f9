/**
 * Remembers which lines of an input a run has to send, in 16 bytes each.
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

/** Lines per page. Growing by pages never copies. */
const PAGE = 1 << 14;

class Page {
  readonly indexes = new Uint32Array(PAGE);
  readonly numbers = new Uint32Array(PAGE);
  readonly offsets = new Float64Array(PAGE);
}

/** Lines in the order of the input. */
export class PendingLines {
  readonly #pages: Page[] = [];
  /** The files that have lines, and the positions of their first ones. */
  readonly #files: { file: number; from: number }[] = [];
  #length = 0;

  /** The number of lines. */
  get length(): number {
    return this.#length;
  }

  /** Adds a line. */
  add({ index, file, number, offset }: PendingLine): void {
    if (this.#files.at(-1)?.file !== file) this.#files.push({ file, from: this.#length });
    const i = this.#length++ % PAGE;
    if (i === 0) this.#pages.push(new Page());
    const page = this.#pages[this.#pages.length - 1];
    page.indexes[i] = index;
    page.numbers[i] = number;
    page.offsets[i] = offset;
  }

  /** Yields the lines in order. */
  *[Symbol.iterator](): Generator<PendingLine, void, void> {
    for (let n = 0, f = -1; n < this.#length; n++) {
      if (this.#files[f + 1]?.from === n) f++;
      const page = this.#pages[Math.floor(n / PAGE)];
      const i = n % PAGE;
      const { file } = this.#files[f];
      yield { index: page.indexes[i], file, number: page.numbers[i], offset: page.offsets[i] };
    }
  }
}
