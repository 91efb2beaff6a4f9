/**
 * Lines that keep the numbers they have elsewhere.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { TemporaryFile } from "../files/temporary_file.ts";

/** Characters that are gathered before they are written. */
const CHUNK = 1 << 20;

/** Writes lines with given numbers to a file, those between them blank. */
export class NumberedLines {
  readonly #file: TemporaryFile;
  #text = "";
  #next = 1;

  /** Makes a writer to the empty `file`. */
  constructor(file: TemporaryFile) {
    this.#file = file;
  }

  /** Writes `text` as the line `number`, which is above that of the last. */
  write(number: number, text: string): void {
    this.#text += `${"\n".repeat(number - this.#next)}${text}\n`;
    this.#next = number + 1;
    if (this.#text.length >= CHUNK) this.flush();
  }

  /** Writes what is gathered. */
  flush(): void {
    this.#file.write(Buffer.from(this.#text));
    this.#text = "";
  }
}
