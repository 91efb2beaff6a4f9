/**
 * Finds the names of JSON fields in bytes, without decoding them.
 *
 * @module
 */
import { isText } from "./byte_scanner.ts";

const MAX_LENGTH = 31;
const SLOTS = 512;

/** A number for a name of `length` bytes that starts at `start`: few names have the same. */
function slotOf(bytes: Uint8Array, start: number, length: number): number {
  return length * SLOTS + bytes[start] + (length > 2 ? bytes[start + 2] : 0);
}

/** A fixed set of up to 127 names of at most 31 bytes. */
export class KeyTable {
  readonly #names: readonly Uint8Array[];
  /** The last name of each slot; -1 if it has none. */
  readonly #slots = new Int8Array((MAX_LENGTH + 1) * SLOTS).fill(-1);
  /** For each name, the one before it in its slot; -1 for the first. */
  readonly #others: Int8Array;

  /** @param names the names, which are identified by their position */
  constructor(names: readonly string[]) {
    this.#names = names.map((name) => new TextEncoder().encode(name));
    this.#others = new Int8Array(names.length);
    for (const [i, name] of this.#names.entries()) {
      const slot = slotOf(name, 0, name.length);
      this.#others[i] = this.#slots[slot];
      this.#slots[slot] = i;
    }
  }

  /** The position in the table of the name from `start` to `end`; -1 if it is not in the table. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length > MAX_LENGTH || length === 0) return -1;
    let found = this.#slots[slotOf(bytes, start, length)];
    while (found >= 0 && !isText(bytes, start, end, this.#names[found])) {
      found = this.#others[found];
    }
    return found;
  }
}
