/**
 * Replaces control characters, so that text from models and servers cannot control the terminal.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";

/**
 * Control characters, and characters that change the text direction and so can disguise text. Source:
 * Unicode, UAX #9, "Explicit Directional Embedding, Override and Isolate"; right-to-left scripts do not
 * need them.
 */
const UNSAFE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
/**
 * The same, plus escape sequences that set the colors and styles of our own text. Others could hide text: by
 * concealing it, or with the color of the background.
 */
const UNSAFE_OR_STYLE =
  // deno-lint-ignore no-control-regex
  /\x1b\[(?:(?:[0-4]|7|9|2[1-479]|3[1-79]|9\d)(?:;(?:[0-4]|7|9|2[1-479]|3[1-79]|9\d))*)?m|[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
/** The unsafe characters that JSON may contain unescaped. */
const UNSAFE_IN_JSON = /[\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

function replacement(unsafe: string): string {
  const code = unsafe.charCodeAt(0);
  if (unsafe.length > 1 || unsafe === "\n" || unsafe === "\t") return unsafe;
  // Part of CR LF.
  if (unsafe === "\r") return "";
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "\u2421" : "\ufffd";
}

/**
 * Replaces control characters in `text` with visible ones, except newlines and tabs. Works character by
 * character, so a stream can be sanitized in chunks.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, replacement);
}

/** Like {@link printable}, but keeps colors: for our own text. */
export function printableStyled(text: string): string {
  return text.replace(UNSAFE_OR_STYLE, replacement);
}

/** Converts `text` to one line: removes escape sequences, and replaces newlines and tabs with spaces. */
export function printableLine(text: string): string {
  // deno-lint-ignore no-control-regex
  const line = stripVTControlCharacters(text).replace(/[\x00-\x1f\x7f-\x9f]+/g, " ");
  return printable(line).trim();
}

/** Escapes control characters in JSON, without changing its value. */
export function printableJson(json: string): string {
  return json.replace(
    UNSAFE_IN_JSON,
    (unsafe) => `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
