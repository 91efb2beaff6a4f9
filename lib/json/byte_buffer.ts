/**
 * Collects UTF-8 bytes in one reusable buffer.
 *
 * @module
 */

const encoder = new TextEncoder();
/** Maximum UTF-8 bytes of one UTF-16 code unit. */
const MAX_UNIT_BYTES = 3;
const INITIAL_SIZE = 1 << 16;
/** A larger buffer is not reused. */
const MAX_REUSED_SIZE = 1 << 22;
/** The runtime copies more bytes than that faster than a loop. */
const FEW = 64;

/** A growing buffer of UTF-8 text. */
export class ByteBuffer {
  #bytes = new Uint8Array(INITIAL_SIZE);
  #length = 0;

  /** Everything added since the last {@link clear}. Valid until the next call of a method. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The number of bytes added since the last {@link clear}. */
  get length(): number {
    return this.#length;
  }

  /** Appends text. */
  addText(text: string): void {
    this.reserve(text.length * MAX_UNIT_BYTES);
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(this.#length));
    this.#length += written;
  }

  /** Appends a copy of `bytes`, or of those from `start` to `end`. */
  addBytes(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    const length = end - start;
    this.reserve(length);
    const target = this.#bytes;
    let at = this.#length;
    if (length > FEW) {
      target.set(length === bytes.length ? bytes : bytes.subarray(start, end), at);
    } else for (let i = start; i < end; i++) target[at++] = bytes[i];
    this.#length += length;
  }

  /** Appends a byte, for which there is room: see {@link reserve}. */
  addByte(byte: number): void {
    this.#bytes[this.#length++] = byte;
  }

  /** Makes room for `more` bytes. */
  reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.bytes);
    this.#bytes = grown;
  }

  /** Removes what was added after the first `length` bytes. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Empties the buffer. */
  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > MAX_REUSED_SIZE) this.#bytes = new Uint8Array(INITIAL_SIZE);
  }
}
