/**
 * Reads the facts of a result line from its bytes, several times as fast as `JSON.parse`.
 *
 * The scanner finds the fields of the outer object and of `usage`, and skips all other values. Where it meets
 * anything unusual it gives up, and the caller parses the line.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { MAX_INDEX } from "../batch/journal/parse_line.ts";
import { endOfValue, isText, numberAt, OPEN_BRACE, QUOTE } from "../json/byte_scanner.ts";
import { FieldReader } from "../json/field_reader.ts";
import { InternedNames } from "../json/interned_names.ts";
import { KeyTable } from "../json/key_table.ts";
import type { LineFacts } from "./line_facts.ts";
import { TimeParser } from "./time_parser.ts";

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

/** Only `true` starts with it. */
const LETTER_T = 0x74;

/** Scans lines. */
export class LineScanner {
  readonly #requestedModels = new InternedNames();
  readonly #models = new InternedNames();
  readonly #finishReasons = new InternedNames();
  readonly #errorCodes = new InternedNames();
  readonly #endpoints = new InternedNames();
  readonly #times = new TimeParser();
  readonly #fields = new FieldReader(KEYS);
  readonly #usageFields = new FieldReader(USAGE_KEYS);
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
    const fields = this.#fields;
    fields.start(start);
    while (fields.next(bytes, end)) {
      fields.at = this.#value(bytes, fields.at, end, facts, fields.key);
      if (fields.at < 0) return false;
    }
    return fields.at === end && this.#hasIndex && this.#hasStatus;
  }

  /** Reads a value that starts at `at`. Returns the position after it; -1 if it is unusual. */
  #value(bytes: Buffer, at: number, end: number, facts: LineFacts, key: number): number {
    if (key === USAGE && bytes[at] === OPEN_BRACE) return this.#usage(bytes, at, end, facts);
    const after = endOfValue(bytes, at, end);
    if (key < 0 || after < 0) return after;
    const isRead = bytes[at] === QUOTE
      ? this.#string(bytes, at + 1, after - 1, facts, key)
      : this.#scalar(bytes, at, after, facts, key);
    return isRead ? after : -1;
  }

  /** Sets a field to a string. Returns whether that is usual. */
  #string(bytes: Buffer, start: number, end: number, facts: LineFacts, key: number): boolean {
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
        // It may have escapes.
        return !Number.isNaN(facts.at);
      // endpoint
      case 15:
        facts.endpoint = this.#endpoints.text(bytes, start, end);
        return true;
    }
    return false;
  }

  /** Sets a field to a number or literal. Returns whether that is usual. */
  #scalar(bytes: Buffer, start: number, end: number, facts: LineFacts, key: number): boolean {
    switch (key) {
      // index
      case 0:
        facts.index = numberAt(bytes, start, end);
        // Others are reported by the parser.
        this.#hasIndex = facts.index >= 0 && facts.index <= MAX_INDEX &&
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
        facts.cached = bytes[start] === LETTER_T;
        return true;
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

  /** Reads the token counts. */
  #usage(bytes: Buffer, at: number, end: number, facts: LineFacts): number {
    // Of two objects the last one counts.
    facts.resetTokens();
    const fields = this.#usageFields;
    fields.start(at);
    while (fields.next(bytes, end)) {
      const after = endOfValue(bytes, fields.at, end);
      if (after < 0) return -1;
      if (fields.key >= 0) {
        const value = numberAt(bytes, fields.at, after);
        if (Number.isNaN(value)) return -1;
        setTokens(facts, fields.key, value);
      }
      fields.at = after;
    }
    return fields.at;
  }
}

/** Sets the token count whose name is at `key` in {@link USAGE_FIELDS}. */
function setTokens(facts: LineFacts, key: number, count: number): void {
  switch (key) {
    // prompt_tokens
    case 0:
      facts.promptTokens = count;
      break;
    // completion_tokens
    case 1:
      facts.completionTokens = count;
      break;
    // cached_tokens
    case 2:
      facts.cachedTokens = count;
      break;
    // reasoning_tokens
    case 3:
      facts.reasoningTokens = count;
      break;
  }
}
