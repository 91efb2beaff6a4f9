/**
 * Writes JSON as bytes in a normal form, for hashing: without spaces, with every number as a double, each string as
 * `JSON.stringify` writes it, and the fields of an object in a fixed order.
 *
 * Fields are sorted by the length of their names, then by their UTF-16 code units. Messages usually have that order
 * (`role`, `content`, `tool_calls`), so that they can be copied from JSON without being parsed.
 *
 * @module
 */
import { ByteBuffer } from "./byte_buffer.ts";
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  IN_STRING,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from "./byte_scanner.ts";
import { isRawNumber } from "./json.ts";

/** The runtime encodes longer strings faster than a loop. */
const SHORT = 64;
/** The last character that is one byte. */
const LAST_ASCII = 0x7f;

/** Whether the field `a` comes after `b`, and is another one. */
function isAfter(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}

/** The names of the fields of `value` in their order. */
function sortedNames(value: object): string[] {
  const names = Object.keys(value);
  for (let i = 1; i < names.length; i++) {
    if (!isAfter(names[i], names[i - 1])) return names.sort((a, b) => isAfter(a, b) ? 1 : -1);
  }
  return names;
}

/** Writes one value after the other. Its buffer is reused. */
export class NormalJsonWriter {
  /** What was written. */
  readonly buffer = new ByteBuffer();

  /**
   * Writes `value`. What has no JSON form is left out, as by `JSON.stringify`. Returns whether anything was written.
   *
   * @throws {RangeError} if it is circular or nested too deeply
   */
  write(value: unknown): boolean {
    switch (typeof value) {
      case "string":
        this.#string(value);
        return true;
      case "number":
        this.#ascii(Number.isFinite(value) ? String(value) : "null");
        return true;
      case "bigint":
        return this.write(Number(value));
      case "boolean":
        this.#ascii(value ? "true" : "false");
        return true;
      case "object":
        return this.#object(value);
      default:
        return false;
    }
  }

  #object(value: object | null): boolean {
    if (value === null) this.#ascii("null");
    else if (isRawNumber(value)) return this.write(Number(value.rawJSON));
    else if (Array.isArray(value)) this.#array(value);
    else if ("toJSON" in value && typeof value.toJSON === "function") {
      return this.write(value.toJSON());
    } else this.#fields(value as Record<string, unknown>);
    return true;
  }

  #array(items: readonly unknown[]): void {
    this.#byte(OPEN_BRACKET);
    for (let i = 0; i < items.length; i++) {
      if (i > 0) this.#byte(COMMA);
      if (!this.write(items[i])) this.#ascii("null");
    }
    this.#byte(CLOSE_BRACKET);
  }

  #fields(value: Record<string, unknown>): void {
    this.#byte(OPEN_BRACE);
    const first = this.buffer.length;
    for (const name of sortedNames(value)) {
      const start = this.buffer.length;
      if (start > first) this.#byte(COMMA);
      this.#string(name);
      this.#byte(COLON);
      if (!this.write(value[name])) this.buffer.truncate(start);
    }
    this.#byte(CLOSE_BRACE);
  }

  #string(text: string): void {
    const { buffer } = this;
    const start = buffer.length;
    if (text.length <= SHORT) {
      buffer.reserve(text.length + 2);
      buffer.addByte(QUOTE);
      for (let i = 0; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > LAST_ASCII || IN_STRING[unit] === 1) return this.#encoded(text, start);
        buffer.addByte(unit);
      }
      buffer.addByte(QUOTE);
    } else this.#encoded(text, start);
  }

  /** Writes a string in place of what follows `start`. */
  #encoded(text: string, start: number): void {
    this.buffer.truncate(start);
    this.buffer.addText(JSON.stringify(text));
  }

  #ascii(text: string): void {
    this.buffer.reserve(text.length);
    for (let i = 0; i < text.length; i++) this.buffer.addByte(text.charCodeAt(i));
  }

  #byte(byte: number): void {
    this.buffer.reserve(1);
    this.buffer.addByte(byte);
  }
}
