/**
 * Stores where the lines of one page of a journal's index are: 2 bytes for each line while they follow each other
 * in the file, as in a sorted one, and 6 bytes once they do not. Very long lines and files take some more.
 *
 * @module
 */
import type { LineLocation } from "./record_index.ts";

/** Lines per block: only the offset of its first line is stored. */
const BLOCK = 64;
const MAX_LENGTH = 2 ** 16 - 1;
/** Lines may be this far apart, in bytes, before their offsets take 8 bytes instead of 4. */
const MAX_DISTANCE = 2 ** 32 - 1;

/** The locations of up to `size` lines, by their position in the page. */
export class LineTable {
  readonly #size: number;
  #lengths: Uint16Array | Uint32Array;
  /** The offsets of the blocks' first lines, while each line follows the one before it. */
  #blocks: Float64Array | undefined;
  /** The number of those lines, and where the last one ends. */
  #count = 0;
  #end = 0;
  /** Once a line is elsewhere, the offsets of all lines, from `#base` on. */
  #offsets: Uint32Array | Float64Array | undefined;
  #base = 0;

  /** @param size a multiple of 64 */
  constructor(size: number) {
    this.#size = size;
    this.#lengths = new Uint16Array(size);
    this.#blocks = new Float64Array(size / BLOCK);
  }

  /** Sets the location of the line at `position`. */
  set(position: number, offset: number, length: number): void {
    if (length > MAX_LENGTH && this.#lengths.BYTES_PER_ELEMENT === 2) {
      this.#lengths = Uint32Array.from(this.#lengths);
    }
    const isNext = position === this.#count && (position === 0 || offset === this.#end);
    if (this.#blocks === undefined) {
      this.#setOffset(position, offset);
    } else if (isNext) {
      if (position % BLOCK === 0) this.#blocks[position / BLOCK] = offset;
      this.#count++;
      this.#end = offset + length + 1;
    } else {
      this.#storeOffsets(offset);
      this.#setOffset(position, offset);
    }
    this.#lengths[position] = length;
  }

  /** The location of the line at `position`, which must have been set. */
  get(position: number): LineLocation {
    const length = this.#lengths[position];
    if (this.#offsets !== undefined) {
      return { offset: this.#base + this.#offsets[position], length };
    }
    const first = position - position % BLOCK;
    let offset = this.#blocks![first / BLOCK];
    for (let i = first; i < position; i++) offset += this.#lengths[i] + 1;
    return { offset, length };
  }

  /** Stores the offsets of all lines from now on, of which the first may be that at `offset`. */
  #storeOffsets(offset: number): void {
    const offsets = Array.from({ length: this.#count }, (_, i) => this.get(i).offset);
    this.#base = Math.max(0, (offsets[0] ?? offset) - Math.floor(MAX_DISTANCE / 2));
    this.#offsets = new Uint32Array(this.#size);
    this.#blocks = undefined;
    for (const [i, offset] of offsets.entries()) this.#setOffset(i, offset);
  }

  #setOffset(position: number, offset: number): void {
    const distance = offset - this.#base;
    if (distance < 0 || distance > MAX_DISTANCE) this.#widen();
    this.#offsets![position] = offset - this.#base;
  }

  #widen(): void {
    if (this.#offsets!.BYTES_PER_ELEMENT === 8) return;
    this.#offsets = Float64Array.from(this.#offsets!, (distance) => this.#base + distance);
    this.#base = 0;
  }
}
