/**
 * A set of record indexes in one bit each, for millions of records.
 *
 * @module
 */

/** A set of small non-negative integers. */
export class IndexSet {
  #bits = new Uint8Array(1024);

  /** Adds an index. */
  add(index: number): void {
    const byte = index >> 3;
    if (byte >= this.#bits.length) {
      const grown = new Uint8Array(Math.max(byte + 1, this.#bits.length * 2));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    this.#bits[byte] |= 1 << (index & 7);
  }

  /** Whether an index was added. */
  has(index: number): boolean {
    return ((this.#bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }
}
