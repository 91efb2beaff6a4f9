/**
 * Decodes names that recur in most lines, such as those of models, without decoding them each time.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Maximum names that are remembered. */
const REMEMBERED = 16;
const BACKSLASH = 0x5c;

interface Name {
  bytes: Uint8Array;
  text: string;
}

function isEqual(name: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
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
    const length = end - start;
    for (const name of this.#names) {
      if (name.bytes.length === length && isEqual(name.bytes, bytes, start)) return name.text;
    }
    const text = bytes.toString("utf8", start, end);
    if (bytes.subarray(start, end).includes(BACKSLASH)) return JSON.parse(`"${text}"`) as string;
    if (this.#names.length < REMEMBERED) {
      this.#names.push({ bytes: Buffer.from(bytes.subarray(start, end)), text });
    }
    return text;
  }
}
