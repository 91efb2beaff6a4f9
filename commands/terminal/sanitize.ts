/**
 * Keeps what models and servers wrote from steering the terminal.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";

/**
 * Control characters, and those that change the direction of the text around them, so that it reads
 * differently from what it is. Source: Unicode, UAX #9, "Explicit Directional Embedding, Override and
 * Isolate"; letters of right-to-left scripts need none of these.
 */
const UNSAFE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
/** The same, and the sequences that set colours. */
// deno-lint-ignore no-control-regex
const UNSAFE_OR_STYLE = /\x1b\[[\d;]*m|[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
/** Those that JSON may contain unescaped. */
const UNSAFE_IN_JSON = /[\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

function shown(unsafe: string): string {
  const code = unsafe.charCodeAt(0);
  if (unsafe.length > 1 || unsafe === "\n" || unsafe === "\t") return unsafe;
  // The carriage return of a line that ends in CR LF.
  if (unsafe === "\r") return "";
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "\u2421" : "\ufffd";
}

/**
 * `text` with every terminal control character replaced by a visible one; newlines and tabs stay. It works character by character, so a text may be given in pieces.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, shown);
}

/** The same for our own text, whose colours stay. */
export function printableStyled(text: string): string {
  return text.replace(UNSAFE_OR_STYLE, shown);
}

/** `text` in one line: without control sequences, and with blanks for newlines and tabs. */
export function printableLine(text: string): string {
  // deno-lint-ignore no-control-regex
  const line = stripVTControlCharacters(text).replace(/[\x00-\x1f\x7f-\x9f]+/g, " ");
  return printable(line).trim();
}

/** JSON with terminal control characters escaped; its value is the same. */
export function printableJson(json: string): string {
  return json.replace(
    UNSAFE_IN_JSON,
    (unsafe) => `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
