/**
 * Reads the facts of a result line from its bytes, several times as fast as `JSON.parse`.
 *
 * The scanner finds the fields of the outer object and of `usage`, and skips all other values. It is not a
 * validator: where it meets anything unexpected it gives up, and the caller parses the line.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { InternedNames } from "./interned_names.ts";
import { KeyTable } from "./key_table.ts";
import type { LineFacts } from "./line_facts.ts";
import { TimeParser } from "./time_parser.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const DOT = 0x2e;
const MINUS = 0x2d;
const ZERO = 0x30;

/** The fields that are read. The code below refers to them by position: literals make a `switch` a jump table. */
const FIELDS = [
  "index",
  "status",
  "requested_model",
  "model",
  "finish_reason",
  "error_code",
  "latency",
  "cost",
  "spent_before",
  "cached",
  "usage",
  "at",
  "queued",
  "first_token",
  "attempts",
  "endpoint",
] as const;
const USAGE_FIELDS = [
  "prompt_tokens",
  "completion_tokens",
  "cached_tokens",
  "reasoning_tokens",
] as const;

const USAGE = FIELDS.indexOf("usage");

const SUCCESS = new TextEncoder().encode("success");
const ERROR = new TextEncoder().encode("error");

const KEYS = new KeyTable(FIELDS);
const USAGE_KEYS = new KeyTable(USAGE_FIELDS);

/** Marks the bytes that end or escape something in a string. One lookup takes less than three comparisons. */
const IN_STRING = marked([QUOTE, BACKSLASH]);
/** The same between strings. */
const IN_NESTED = marked([QUOTE, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET]);

/** A table in which `bytes` and control characters are marked. */
function marked(bytes: readonly number[]): Uint8Array {
  const table = new Uint8Array(256).fill(1, 0, SPACE);
  for (const byte of bytes) table[byte] = 1;
  return table;
}

/** The position of the quote that ends a string whose content starts at `at`; -1 if there is none. */
function endOfString(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    while (IN_STRING[bytes[at]] === 0) at++;
    if (at >= end) return -1;
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    if (byte !== BACKSLASH) return -1;
    at += 2;
  }
  return -1;
}

/** The position after an object or array that starts at `at`; -1 if it does not end. */
function endOfNested(bytes: Uint8Array, at: number, end: number): number {
  let depth = 0;
  while (at < end) {
    while (IN_NESTED[bytes[at]] === 0) at++;
    if (at >= end) return -1;
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = endOfString(bytes, at + 1, end);
      if (at < 0) return -1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (--depth === 0) return at + 1;
    } else return -1;
    at++;
  }
  return -1;
}

/** The position after a number or literal that starts at `at`. */
function endOfScalar(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const byte = bytes[at];
    if (byte === COMMA || byte === CLOSE_BRACE || byte <= SPACE) break;
    at++;
  }
  return at;
}

const POWERS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/** The number from `start` to `end`; `NaN` if it is not one. */
function numberAt(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  let decimals = -1;
  for (let at = start; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      if (decimals >= 0) decimals++;
    } else if (bytes[at] === DOT && decimals < 0 && at > start) decimals = 0;
    else return parsedNumber(bytes, start, end);
  }
  // Fifteen digits and a power of ten are exact, and so is their quotient.
  if (end - start > 15 || start === end) return parsedNumber(bytes, start, end);
  return decimals > 0 ? value / POWERS[decimals] : value;
}

function parsedNumber(bytes: Buffer, start: number, end: number): number {
  const text = bytes.toString("latin1", start, end);
  return /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
}

function isText(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}

function isLiteral(bytes: Buffer, start: number, end: number): boolean {
  const text = bytes.toString("latin1", start, end);
  return text === "null" || text === "true" || text === "false";
}

/** Scans lines. */
export class LineScanner {
  readonly #requestedModels = new InternedNames();
  readonly #models = new InternedNames();
  readonly #finishReasons = new InternedNames();
  readonly #errorCodes = new InternedNames();
  readonly #endpoints = new InternedNames();
  readonly #times = new TimeParser();
  #hasIndex = false;
  #hasStatus = false;

  /**
   * Sets `facts` to those of the line from `start` to `end`. Returns `false` if the line has to be parsed:
   * it is unusual or not a result.
   */
  scan(bytes: Buffer, start: number, end: number, facts: LineFacts): boolean {
    facts.reset();
    this.#hasIndex = false;
    this.#hasStatus = false;
    if (bytes[start] !== OPEN_BRACE) return false;
    const after = this.#object(bytes, start, end, facts, false);
    return after === end && this.#hasIndex && this.#hasStatus;
  }

  /** Scans an object that starts at `at`. Returns the position after it; -1 if it is unusual. */
  #object(
    bytes: Buffer,
    at: number,
    end: number,
    facts: LineFacts,
    isUsage: boolean,
  ): number {
    const keys = isUsage ? USAGE_KEYS : KEYS;
    at++;
    while (true) {
      while (bytes[at] === SPACE) at++;
      if (at >= end || bytes[at] !== QUOTE) return -1;
      const keyStart = ++at;
      while (IN_STRING[bytes[at]] === 0) at++;
      // An escaped name could be any.
      if (at >= end || bytes[at] !== QUOTE) return -1;
      const key = keys.find(bytes, keyStart, at);
      at++;
      while (bytes[at] === SPACE) at++;
      if (bytes[at] !== COLON) return -1;
      at++;
      while (bytes[at] === SPACE) at++;
      at = isUsage
        ? this.#usageValue(bytes, at, end, facts, key)
        : this.#value(bytes, at, end, facts, key);
      if (at < 0 || at >= end) return -1;
      while (bytes[at] === SPACE) at++;
      if (bytes[at] === CLOSE_BRACE) return at + 1;
      if (bytes[at] !== COMMA) return -1;
      at++;
    }
  }

  #value(bytes: Buffer, at: number, end: number, facts: LineFacts, key: number): number {
    const first = bytes[at];
    if (first === QUOTE) {
      const close = endOfString(bytes, at + 1, end);
      if (close < 0) return -1;
      if (key >= 0 && !this.#string(bytes, at + 1, close, facts, key)) return -1;
      return close + 1;
    }
    if (first === OPEN_BRACE) {
      if (key === USAGE && bytes[at + 1] !== CLOSE_BRACE) {
        return this.#object(bytes, at, end, facts, true);
      }
      return key >= 0 && key !== USAGE ? -1 : endOfNested(bytes, at, end);
    }
    if (first === OPEN_BRACKET) return key >= 0 ? -1 : endOfNested(bytes, at, end);
    const close = endOfScalar(bytes, at, end);
    if (key >= 0) return this.#scalar(bytes, at, close, facts, key) ? close : -1;
    if (first === MINUS || first - ZERO >= 0 && first - ZERO <= 9) {
      return Number.isNaN(numberAt(bytes, at, close)) ? -1 : close;
    }
    return isLiteral(bytes, at, close) ? close : -1;
  }

  /** Sets a field to a string. Returns whether that is usual. */
  #string(bytes: Buffer, start: number, end: number, facts: LineFacts, key: number): boolean {
    try {
      switch (key) {
        // status
        case 1: {
          facts.succeeded = isText(bytes, start, end, SUCCESS);
          this.#hasStatus = facts.succeeded || isText(bytes, start, end, ERROR);
          return this.#hasStatus;
        }
        // requested_model
        case 2:
          facts.requestedModel = this.#requestedModels.text(bytes, start, end);
          return true;
        // model
        case 3:
          facts.model = this.#models.text(bytes, start, end);
          return true;
        // finish_reason
        case 4:
          facts.finishReason = this.#finishReasons.text(bytes, start, end);
          return true;
        // error_code
        case 5:
          facts.errorCode = this.#errorCodes.text(bytes, start, end);
          return true;
        // at
        case 11:
          facts.at = this.#times.parse(bytes, start, end);
          return true;
        // endpoint
        case 15:
          facts.endpoint = this.#endpoints.text(bytes, start, end);
          return true;
      }
    } catch {
      // An invalid escape.
    }
    return false;
  }

  /** Sets a field to a number or literal. Returns whether that is usual. */
  #scalar(bytes: Buffer, start: number, end: number, facts: LineFacts, key: number): boolean {
    switch (key) {
      // index
      case 0:
        facts.index = numberAt(bytes, start, end);
        // Larger ones, which no input has, are reported by the parser.
        this.#hasIndex = facts.index >= 0 && facts.index <= 100_000_000 &&
          Number.isInteger(facts.index);
        return this.#hasIndex;
      // latency
      case 6:
        facts.latency = numberAt(bytes, start, end);
        return !Number.isNaN(facts.latency);
      // cost
      case 7:
        facts.cost = numberAt(bytes, start, end);
        return !Number.isNaN(facts.cost);
      // spent_before
      case 8:
        facts.spentBefore = numberAt(bytes, start, end);
        return !Number.isNaN(facts.spentBefore);
      // cached
      case 9:
        facts.cached = end - start === 4 && bytes[start] === 0x74;
        return isLiteral(bytes, start, end);
      // queued
      case 12:
        facts.queued = numberAt(bytes, start, end);
        return !Number.isNaN(facts.queued);
      // first_token
      case 13:
        facts.firstToken = numberAt(bytes, start, end);
        return !Number.isNaN(facts.firstToken);
      // attempts
      case 14:
        facts.attempts = numberAt(bytes, start, end);
        return !Number.isNaN(facts.attempts);
    }
    return false;
  }

  #usageValue(bytes: Buffer, at: number, end: number, facts: LineFacts, key: number): number {
    const first = bytes[at];
    if (first === QUOTE || key < 0 && (first === OPEN_BRACE || first === OPEN_BRACKET)) {
      if (first !== QUOTE) return endOfNested(bytes, at, end);
      const close = endOfString(bytes, at + 1, end);
      return close < 0 || key >= 0 ? -1 : close + 1;
    }
    const close = endOfScalar(bytes, at, end);
    const value = numberAt(bytes, at, close);
    if (Number.isNaN(value)) return key < 0 && isLiteral(bytes, at, close) ? close : -1;
    switch (key) {
      // prompt_tokens
      case 0:
        facts.promptTokens = value;
        break;
      // completion_tokens
      case 1:
        facts.completionTokens = value;
        break;
      // cached_tokens
      case 2:
        facts.cachedTokens = value;
        break;
      // reasoning_tokens
      case 3:
        facts.reasoningTokens = value;
        break;
    }
    return close;
  }
}
