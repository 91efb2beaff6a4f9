/**
 * Writes lines of bytes to a temporary file through a buffer.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { TemporaryFile } from "../files/temporary_file.ts";

/** Bytes that are buffered before they are written. */
const SIZE = 1 << 20;

/** A buffered writer. */
export class LineWriter {
  readonly #file: TemporaryFile;
  readonly #buffer = Buffer.allocUnsafeSlow(SIZE);
  #length = 0;

  /** @param file the file to append to */
  constructor(file: TemporaryFile) {
    this.#file = file;
  }

  /** Writes text. */
  text(text: string): void {
    // A UTF-16 unit has at most three bytes.
    if (text.length * 3 > SIZE) return this.bytes(Buffer.from(text));
    if (text.length * 3 > SIZE - this.#length) this.flush();
    this.#length += this.#buffer.write(text, this.#length);
  }

  /** Writes bytes. */
  bytes(bytes: Uint8Array): void {
    if (bytes.length > SIZE - this.#length) this.flush();
    if (bytes.length > SIZE) {
      this.#file.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      return;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes the buffered bytes. */
  flush(): void {
    this.#file.write(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
  }
}
