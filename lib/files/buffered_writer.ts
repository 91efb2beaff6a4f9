/**
 * Combines small writes into large ones.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Bytes that are buffered before they are written. */
const SIZE = 1 << 20;
/** Bytes that are not worth buffering. */
const LARGE = SIZE / 4;

/** A buffered writer. */
export class BufferedWriter {
  readonly #write: (bytes: Buffer) => void;
  readonly #buffer = Buffer.allocUnsafeSlow(SIZE);
  #length = 0;

  /** @param write writes all of its bytes before it returns */
  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  /** Writes text. */
  text(text: string): void {
    // A UTF-16 unit has at most three bytes.
    if (text.length * 3 > SIZE) return this.bytes(Buffer.from(text));
    if (text.length * 3 > SIZE - this.#length) this.flush();
    this.#length += this.#buffer.write(text, this.#length);
  }

  /** Writes a copy of `bytes`. */
  bytes(bytes: Uint8Array): void {
    const isLarge = bytes.length > LARGE;
    if (isLarge || bytes.length > SIZE - this.#length) this.flush();
    if (isLarge) {
      this.#write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      return;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes the buffered bytes. */
  flush(): void {
    this.#write(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
  }
}
