/**
 * Finds the parts of a JSON document at its top level, in flat memory: whether it is one object or
 * several, and which arrays an object has.
 *
 * @module
 */
import type { ReadBytes } from "../files/lines.ts";
import { chunksOf } from "./chunks.ts";

/** A position in a text. */
export interface Position {
  /** Byte offset. */
  offset: number;
  /** From 1. */
  line: number;
  /** In bytes, from 1. */
  column: number;
}

/** A field of the document's first object. */
export interface OutlineField {
  name: string;
  /** The first character of its value, e.g. `[`. */
  start: string;
  /** The first character of the first item, if the value is an array. */
  firstItem?: string;
  /** The position after the first character of the value. */
  content: Position;
}

/** The top level of a document that starts with an object. */
export interface Outline {
  /** The fields of the first object. */
  fields: OutlineField[];
  /** Whether anything but white space follows the first object. */
  continues: boolean;
}

const [QUOTE, COLON, COMMA, BACKSLASH] = [0x22, 0x3a, 0x2c, 0x5c];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];
const NEWLINE = 10;
/** Bytes of a field's name that are kept. */
const MAX_NAME = 1000;

/** The name in the bytes of a JSON string without its quotes. */
function nameOf(bytes: number[]): string {
  const text = new TextDecoder().decode(new Uint8Array(bytes));
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    return text;
  }
}

/** Reads the outline of `file`, whose first character is a brace. Mistakes in its JSON are not noticed. */
export function outlineOf(file: number | ReadBytes): Outline {
  const fields: OutlineField[] = [];
  let [depth, line, lineStart, base] = [0, 1, 0, 0];
  let [inString, escaped] = [false, false];
  let name: number[] | undefined;
  let field: OutlineField | undefined;
  let expects: "name" | "value" | "item" | undefined;
  let isClosed = false;
  for (const chunk of chunksOf(file)) {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
        if (name !== undefined && inString && name.length < MAX_NAME) name.push(byte);
        continue;
      }
      if (byte <= 0x20) {
        if (byte === NEWLINE) {
          line++;
          lineStart = base + i + 1;
        }
        continue;
      }
      if (isClosed) return { fields, continues: true };
      if (expects === "item" && field !== undefined) {
        field.firstItem = String.fromCharCode(byte);
        expects = undefined;
      } else if (expects === "value" && byte !== COLON) {
        const offset = base + i + 1;
        const content = { offset, line, column: offset - lineStart + 1 };
        field = { name: nameOf(name ?? []), start: String.fromCharCode(byte), content };
        fields.push(field);
        name = undefined;
        expects = byte === OPEN_BRACKET ? "item" : undefined;
      }
      if (byte === QUOTE) {
        inString = true;
        if (expects === "name") {
          name = [];
          expects = "value";
        }
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (++depth === 1) expects = "name";
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        if (--depth === 0) isClosed = true;
      } else if (byte === COMMA && depth === 1) {
        expects = "name";
      }
    }
    base += chunk.length;
  }
  return { fields, continues: false };
}
