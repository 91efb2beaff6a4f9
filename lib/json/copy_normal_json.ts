/**
 * Copies JSON to the normal form of `normal_json.ts`. JSON already in that form, apart from spaces, is not parsed.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { ByteBuffer } from "./byte_buffer.ts";
import {
  afterSpaces,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  endOfNumber,
  endOfString,
  endOfValue,
  IN_STRING,
  isText,
  MINUS,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  ZERO,
} from "./byte_scanner.ts";
import { NormalJsonWriter } from "./normal_json.ts";

const NINE = 0x39;
const LAST_ASCII = 0x7f;
/** Digits of an integer that every double has. */
const MAX_DIGITS = 15;
/** Marks what follows a backslash in escapes of two characters, as `JSON.stringify` writes them. */
const SHORT_ESCAPES = new Uint8Array(256);
for (const character of '"\\bfnrt') SHORT_ESCAPES[character.charCodeAt(0)] = 1;

/** Copies values from JSON that `endOfValue` has found valid. */
export class NormalJsonCopier {
  readonly #writer = new NormalJsonWriter();
  readonly #watchedName: Uint8Array;
  readonly #watchedText: string;
  #mayHaveName = false;

  /** @param watchedName the name of a field for {@link mayHaveName}, if there is one */
  constructor(watchedName = "") {
    this.#watchedName = new TextEncoder().encode(watchedName);
    this.#watchedText = watchedName;
  }

  /** What was written. */
  get buffer(): ByteBuffer {
    return this.#writer.buffer;
  }

  /** Whether an object that was copied since the last {@link clear} may have the watched field. */
  get mayHaveName(): boolean {
    return this.#mayHaveName;
  }

  /** Forgets everything. */
  clear(): void {
    this.buffer.clear();
    this.#mayHaveName = false;
  }

  /** Writes the value whose JSON starts at `at`. Returns the position after it. */
  copy(source: Buffer, at: number, end: number): number {
    switch (source[at]) {
      case QUOTE:
        return this.#string(source, at, end);
      case OPEN_BRACE:
        return this.#object(source, at, end);
      case OPEN_BRACKET:
        return this.#array(source, at, end);
    }
    return this.#scalar(source, at, end);
  }

  #string(source: Buffer, start: number, end: number): number {
    let at = start + 1;
    while (true) {
      while (IN_STRING[source[at]] === 0) at++;
      if (source[at] === QUOTE) break;
      // Other escapes may have another form.
      if (SHORT_ESCAPES[source[at + 1]] === 0) {
        return this.#parse(source, start, endOfString(source, at, end) + 1);
      }
      at += 2;
    }
    this.buffer.addBytes(source, start, at + 1);
    return at + 1;
  }

  #scalar(source: Buffer, at: number, end: number): number {
    const isNumber = source[at] === MINUS || isDigit(source[at]);
    const after = isNumber ? endOfNumber(source, at) : endOfValue(source, at, end);
    if (isNumber && !isPlainInteger(source, at, after)) return this.#parse(source, at, after);
    this.buffer.addBytes(source, at, after);
    return after;
  }

  #array(source: Buffer, at: number, end: number): number {
    this.#byte(OPEN_BRACKET);
    at = afterSpaces(source, at + 1);
    while (source[at] !== CLOSE_BRACKET) {
      at = this.#afterItem(source, this.copy(source, at, end));
    }
    this.#byte(CLOSE_BRACKET);
    return at + 1;
  }

  #object(source: Buffer, start: number, end: number): number {
    const written = this.buffer.length;
    this.#byte(OPEN_BRACE);
    let at = afterSpaces(source, start + 1);
    let lastName = 0;
    let lastLength = -1;
    while (source[at] !== CLOSE_BRACE) {
      const name = at + 1;
      const close = endOfName(source, name);
      const length = close - name;
      if (close < 0 || !isNameAfter(source, name, length, lastName, lastLength)) {
        this.buffer.truncate(written);
        return this.#parseObject(source, start, endOfValue(source, start, end));
      }
      if (isText(source, name, close, this.#watchedName)) this.#mayHaveName = true;
      this.buffer.addBytes(source, at, close + 1);
      this.#byte(COLON);
      const value = afterSpaces(source, afterSpaces(source, close + 1) + 1);
      at = this.#afterItem(source, this.copy(source, value, end));
      lastName = name;
      lastLength = length;
    }
    this.#byte(CLOSE_BRACE);
    return at + 1;
  }

  /** The position of the next item, or of the end of the items, after an item that ends at `at`. */
  #afterItem(source: Buffer, at: number): number {
    at = afterSpaces(source, at);
    if (source[at] !== COMMA) return at;
    this.#byte(COMMA);
    return afterSpaces(source, at + 1);
  }

  /** Writes an object whose fields have another order, or unusual names. Returns `end`. */
  #parseObject(source: Buffer, start: number, end: number): number {
    const text = source.toString("utf8", start, end);
    // Escaped names could be any.
    if (text.includes(this.#watchedText) || text.includes("\\u")) this.#mayHaveName = true;
    this.#writer.write(JSON.parse(text));
    return end;
  }

  /** Writes a string or number that may have another form. Returns `end`. */
  #parse(source: Buffer, start: number, end: number): number {
    this.#writer.write(JSON.parse(source.toString("utf8", start, end)));
    return end;
  }

  #byte(byte: number): void {
    this.buffer.reserve(1);
    this.buffer.addByte(byte);
  }
}

/** The end of a name of ASCII characters without escapes that starts at `at`; -1 if it has others. */
function endOfName(source: Uint8Array, at: number): number {
  while (IN_STRING[source[at]] === 0 && source[at] <= LAST_ASCII) at++;
  return source[at] === QUOTE ? at : -1;
}

/** Whether the name at `a` comes after the one at `b`, and is another one. */
function isNameAfter(
  source: Uint8Array,
  a: number,
  lengthOfA: number,
  b: number,
  lengthOfB: number,
): boolean {
  if (lengthOfA !== lengthOfB) return lengthOfA > lengthOfB;
  for (let i = 0; i < lengthOfA; i++) {
    if (source[a + i] !== source[b + i]) return source[a + i] > source[b + i];
  }
  return false;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** Whether the number from `start` to `end` is an integer that a double has with all its digits. */
function isPlainInteger(source: Uint8Array, start: number, end: number): boolean {
  const first = source[start] === MINUS ? start + 1 : start;
  // `-0` is written as `0`.
  if (end - first > MAX_DIGITS || first > start && source[first] === ZERO) return false;
  for (let at = first; at < end; at++) if (!isDigit(source[at])) return false;
  return true;
}
