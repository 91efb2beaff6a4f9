/**
 * Writes lines at given line numbers.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { TemporaryFile } from "../files/temporary_file.ts";

/** Characters that are buffered before they are written. */
const CHUNK = 1 << 20;

/** Writes lines with ascending numbers to a file. Lines between them are blank. */
export class NumberedLines {
  readonly #file: TemporaryFile;
  #text = "";
  #next = 1;

  /** @param file an empty file */
  constructor(file: TemporaryFile) {
    this.#file = file;
  }

  /** Writes `text` as the line `number`, which must be higher than the last one. */
  write(number: number, text: string): void {
    this.#text += `${"\n".repeat(number - this.#next)}${text}\n`;
    this.#next = number + 1;
    if (this.#text.length >= CHUNK) this.flush();
  }

  /** Writes the buffered lines. */
  flush(): void {
    this.#file.write(Buffer.from(this.#text));
    this.#text = "";
  }
}
