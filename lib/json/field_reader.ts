/**
 * Walks over the fields of a JSON object in bytes, without decoding it.
 *
 * @module
 */
import {
  afterSpaces,
  CLOSE_BRACE,
  COLON,
  COMMA,
  IN_STRING,
  OPEN_BRACE,
  QUOTE,
} from "./byte_scanner.ts";
import type { KeyTable } from "./key_table.ts";

/** Reads the fields of one object after the other. The caller moves {@link at} over each value. */
export class FieldReader {
  readonly #names: KeyTable;
  #isFirst = true;
  /** The position of the current value. After the last field, that after the object; -1 if it is unusual. */
  at = 0;
  /** The position of the current field's name in the table; -1 if it is not in it. */
  key = -1;

  /** @param names the names to recognize */
  constructor(names: KeyTable) {
    this.#names = names;
  }

  /** Starts with the value at `at`. */
  start(at: number): void {
    this.at = at;
    this.#isFirst = true;
  }

  /** Moves to the next field's value. Returns `false` after the last one, or if something is unusual. */
  next(bytes: Uint8Array, end: number): boolean {
    let at = afterSpaces(bytes, this.at);
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (bytes[at] !== (isFirst ? OPEN_BRACE : COMMA)) {
      return this.#end(!isFirst && bytes[at] === CLOSE_BRACE && at < end ? at + 1 : -1);
    }
    at = afterSpaces(bytes, at + 1);
    if (isFirst && bytes[at] === CLOSE_BRACE && at < end) return this.#end(at + 1);
    if (bytes[at] !== QUOTE) return this.#end(-1);
    const name = ++at;
    while (IN_STRING[bytes[at]] === 0) at++;
    // An escaped name could be any.
    if (at >= end || bytes[at] !== QUOTE) return this.#end(-1);
    this.key = this.#names.find(bytes, name, at);
    at = afterSpaces(bytes, at + 1);
    if (bytes[at] !== COLON) return this.#end(-1);
    this.at = afterSpaces(bytes, at + 1);
    return true;
  }

  #end(at: number): false {
    this.at = at;
    return false;
  }
}
