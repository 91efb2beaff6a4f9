/**
 * Lines as bytes.
 *
 * @module
 */

const encoder = new TextEncoder();
/** The most bytes of a UTF-16 code unit in UTF-8. */
const WIDEST = 3;
const FIRST_SIZE = 1 << 16;
/** Larger room is not kept for the next lines. */
const LARGEST_KEPT = 1 << 22;

/** Gathers lines as UTF-8 in memory that is used again. */
export class LineBuffer {
  #bytes = new Uint8Array(FIRST_SIZE);
  #length = 0;

  /** What was added since it was last cleared. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Adds `text`, which ends with a newline; gives its length in bytes. */
  add(text: string): number {
    this.#makeRoom(text.length * WIDEST);
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(this.#length));
    this.#length += written;
    return written;
  }

  /** Begins anew. */
  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > LARGEST_KEPT) this.#bytes = new Uint8Array(FIRST_SIZE);
  }

  #makeRoom(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.bytes);
    this.#bytes = grown;
  }
}
