/**
 * Finds JSON values in bytes, without decoding them: several times as fast as `JSON.parse`.
 *
 * Every function accepts valid JSON only, and also refuses what is unusual in files of one JSON object per line:
 * white space other than spaces, and deep nesting. Bytes have to be UTF-8, which is not checked.
 *
 * @module
 */
import type { Buffer } from "node:buffer";

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const SPACE = 0x20;
const RETURN = 0x0d;
export const COLON = 0x3a;
export const COMMA = 0x2c;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
const DOT = 0x2e;
export const MINUS = 0x2d;
export const ZERO = 0x30;
const LETTER_E = 0x65;
const LETTER_F = 0x66;
const LETTER_N = 0x6e;
const LETTER_T = 0x74;
const LETTER_U = 0x75;
/** The bit that distinguishes small letters from capitals. */
const SMALL = 0x20;

/** Deeper values are left to the parser. */
const MAX_DEPTH = 64;

/** Marks the bytes that end or escape something in a string. One lookup takes less than three comparisons. */
export const IN_STRING: Uint8Array = marked('"\\', SPACE);
/** Marks what may follow a backslash, except `u`. */
const ESCAPES = marked('"\\/bfnrt', 0);
const DIGITS = marked("0123456789", 0);
const HEX_DIGITS = marked("0123456789abcdefABCDEF", 0);

/** A table in which the bytes of `characters` and those below `below` are marked. */
function marked(characters: string, below: number): Uint8Array {
  const table = new Uint8Array(256).fill(1, 0, below);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

/** The position of the quote that ends the string whose content starts at `at`; -1 if it is not valid. */
export function endOfString(bytes: Uint8Array, at: number, end: number): number {
  while (true) {
    while (IN_STRING[bytes[at]] === 0) at++;
    if (at >= end) return -1;
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    if (byte !== BACKSLASH) return -1;
    const escaped = bytes[at + 1];
    if (ESCAPES[escaped] === 1) at += 2;
    else if (escaped === LETTER_U && areHexDigits(bytes, at + 2)) at += 6;
    else return -1;
  }
}

function areHexDigits(bytes: Uint8Array, at: number): boolean {
  return HEX_DIGITS[bytes[at]] === 1 && HEX_DIGITS[bytes[at + 1]] === 1 &&
    HEX_DIGITS[bytes[at + 2]] === 1 && HEX_DIGITS[bytes[at + 3]] === 1;
}

/** The position of the first byte from `at` on that is not a space. */
export function afterSpaces(bytes: Uint8Array, at: number): number {
  while (bytes[at] === SPACE) at++;
  return at;
}

/** Whether a line that ends at `end` has only spaces, and perhaps a carriage return, from `at` on. */
export function isBlank(bytes: Uint8Array, at: number, end: number): boolean {
  while (bytes[at] === SPACE || bytes[at] === RETURN) at++;
  return at === end;
}

/** The position after the value that starts at `at`; -1 if it is not valid, or unusual. */
export function endOfValue(bytes: Uint8Array, at: number, end: number, depth = 0): number {
  switch (bytes[at]) {
    case QUOTE: {
      const close = endOfString(bytes, at + 1, end);
      return close < 0 ? -1 : close + 1;
    }
    case OPEN_BRACE:
    case OPEN_BRACKET:
      return depth === MAX_DEPTH ? -1 : endOfItems(bytes, at, end, depth + 1);
    case LETTER_T:
      return isWord(bytes, at, "true") ? inside(at + 4, end) : -1;
    case LETTER_F:
      return isWord(bytes, at, "false") ? inside(at + 5, end) : -1;
    case LETTER_N:
      return isWord(bytes, at, "null") ? inside(at + 4, end) : -1;
    default:
      return inside(endOfNumber(bytes, at), end);
  }
}

function inside(at: number, end: number): number {
  return at <= end ? at : -1;
}

function isWord(bytes: Uint8Array, at: number, word: string): boolean {
  for (let i = 1; i < word.length; i++) if (bytes[at + i] !== word.charCodeAt(i)) return false;
  return true;
}

/** The position after the object or array that starts at `at`. */
function endOfItems(bytes: Uint8Array, at: number, end: number, depth: number): number {
  const isObject = bytes[at] === OPEN_BRACE;
  const close = isObject ? CLOSE_BRACE : CLOSE_BRACKET;
  at = afterSpaces(bytes, at + 1);
  if (bytes[at] === close) return inside(at + 1, end);
  while (true) {
    if (isObject) {
      at = startOfValue(bytes, at, end);
      if (at < 0) return -1;
    }
    at = endOfValue(bytes, at, end, depth);
    if (at < 0) return -1;
    at = afterSpaces(bytes, at);
    if (bytes[at] === close) return inside(at + 1, end);
    if (bytes[at] !== COMMA) return -1;
    at = afterSpaces(bytes, at + 1);
  }
}

/** The position of the value of the field whose name starts at `at`, with its quote; -1 if there is none. */
function startOfValue(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== QUOTE) return -1;
  const quote = endOfString(bytes, at + 1, end);
  if (quote < 0) return -1;
  at = afterSpaces(bytes, quote + 1);
  return bytes[at] === COLON ? afterSpaces(bytes, at + 1) : -1;
}

/** The position after the number that starts at `at`; -1 if it is not one. */
export function endOfNumber(bytes: Uint8Array, at: number): number {
  if (bytes[at] === MINUS) at++;
  if (bytes[at] === ZERO) at++;
  else {
    at = afterDigits(bytes, at);
    if (at < 0) return -1;
  }
  if (bytes[at] === DOT) {
    at = afterDigits(bytes, at + 1);
    if (at < 0) return -1;
  }
  if ((bytes[at] | SMALL) !== LETTER_E) return at;
  const sign = bytes[at + 1];
  return afterDigits(bytes, sign === 0x2b || sign === MINUS ? at + 2 : at + 1);
}

/** The position after the digits that start at `at`; -1 if there are none. */
function afterDigits(bytes: Uint8Array, at: number): number {
  const start = at;
  while (DIGITS[bytes[at]] === 1) at++;
  return at === start ? -1 : at;
}

const POWERS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];
/** Numbers with as many digits are exact, and so is their quotient by a power of ten. */
const EXACT_LENGTH = 15;

/** The number from `start` to `end`; `NaN` if it is not one. */
export function numberAt(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  let at = start;
  while (DIGITS[bytes[at]] === 1) value = value * 10 + bytes[at++] - ZERO;
  let decimals = 0;
  if (bytes[at] === DOT) {
    const first = ++at;
    while (DIGITS[bytes[at]] === 1) value = value * 10 + bytes[at++] - ZERO;
    decimals = at - first;
  }
  const length = end - start;
  const isUsual = at === end && length <= EXACT_LENGTH && DIGITS[bytes[start]] === 1 &&
    (bytes[start] !== ZERO || length === 1 || bytes[start + 1] === DOT && decimals > 0) &&
    bytes[end - 1] !== DOT;
  if (!isUsual) return parsedNumber(bytes, start, end);
  return decimals > 0 ? value / POWERS[decimals] : value;
}

function parsedNumber(bytes: Buffer, start: number, end: number): number {
  if (endOfNumber(bytes, start) !== end) return NaN;
  return Number(bytes.toString("latin1", start, end));
}

/** Whether the bytes from `start` to `end` are `text`. */
export function isText(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}
