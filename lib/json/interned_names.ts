/**
 * Decodes names that recur in most lines, such as those of models, without decoding them each time.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { BACKSLASH, isText } from "./byte_scanner.ts";

/** Maximum names that are remembered. */
const REMEMBERED = 16;

interface Name {
  bytes: Uint8Array;
  text: string;
}

/** The names that one field has had. */
export class InternedNames {
  readonly #names: Name[] = [];

  /**
   * The text of the JSON string whose content is between `start` and `end`.
   *
   * @throws {SyntaxError} if it has an invalid escape
   */
  text(bytes: Buffer, start: number, end: number): string {
    for (const name of this.#names) if (isText(bytes, start, end, name.bytes)) return name.text;
    const text = bytes.toString("utf8", start, end);
    if (bytes.subarray(start, end).includes(BACKSLASH)) return JSON.parse(`"${text}"`) as string;
    if (this.#names.length < REMEMBERED) {
      this.#names.push({ bytes: Buffer.from(bytes.subarray(start, end)), text });
    }
    return text;
  }
}
