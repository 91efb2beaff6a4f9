/**
 * Finds the names of JSON fields in bytes, without decoding them.
 *
 * @module
 */

const MAX_LENGTH = 31;
const SLOTS = 512;

/** Distinguishes names by their length and two of their bytes. */
function slotOf(bytes: Uint8Array, start: number, length: number): number {
  // Names of two bytes have a quote where others have their third.
  return length * SLOTS + bytes[start] + bytes[start + 2];
}

/** A fixed set of names of at least two bytes. */
export class KeyTable {
  readonly #names: readonly Uint8Array[];
  readonly #slots = new Int8Array((MAX_LENGTH + 1) * SLOTS).fill(-1);

  /**
   * Creates a table.
   *
   * @throws {Error} if two names cannot be distinguished
   */
  constructor(names: readonly string[]) {
    this.#names = names.map((name) => new TextEncoder().encode(name));
    for (const [i, name] of this.#names.entries()) {
      const slot = slotOf(new TextEncoder().encode(`${names[i]}"`), 0, name.length);
      if (this.#slots[slot] >= 0) throw new Error(`${names[i]} and ${names[this.#slots[slot]]}`);
      this.#slots[slot] = i;
    }
  }

  /** The position in the table of the name from `start` to `end`; -1 if it is not in the table. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length > MAX_LENGTH || length < 2) return -1;
    const found = this.#slots[slotOf(bytes, start, length)];
    if (found < 0) return -1;
    const name = this.#names[found];
    for (let i = 0; i < length; i++) if (name[i] !== bytes[start + i]) return -1;
    return found;
  }
}
