/**
 * Reads what a journal has to know about a line from its bytes, several times as fast as `JSON.parse`. Where it meets
 * anything unusual it gives up, and the caller parses the line.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { LEGACY_PROVIDER_MESSAGE } from "../../chat/normalize.ts";
import { NormalJsonCopier } from "../../json/copy_normal_json.ts";
import { endOfValue, isBlank, isText, numberAt, QUOTE } from "../../json/byte_scanner.ts";
import { FieldReader } from "../../json/field_reader.ts";
import { InternedNames } from "../../json/interned_names.ts";
import { KeyTable } from "../../json/key_table.ts";
import type { ExistingLine } from "./existing_line.ts";
import { fingerprintOfJson } from "./fingerprint.ts";
import { MAX_INDEX } from "./parse_line.ts";

/** The fields that are read. The code below refers to them by position: literals make a `switch` a jump table. */
const FIELDS = [
  "index",
  "status",
  "requested_model",
  "model",
  "cost",
  "spent_before",
  "input",
  "options",
  "content_hash",
  "parsed",
  "tool_calls",
] as const;

const KEYS = new KeyTable(FIELDS);
const OPTION_KEYS = new KeyTable(["model"]);
const SUCCESS = new TextEncoder().encode("success");
const ERROR = new TextEncoder().encode("error");

/** Scans lines. */
export class JournalLineScanner {
  readonly #fields = new FieldReader(KEYS);
  readonly #optionFields = new FieldReader(OPTION_KEYS);
  readonly #requestedModels = new InternedNames();
  readonly #models = new InternedNames();
  readonly #identity = new NormalJsonCopier(LEGACY_PROVIDER_MESSAGE);
  #hasIndex = false;
  #hasStatus = false;
  /** The positions of the values that identify the input; -1 if they are absent. */
  #input = -1;
  #options = -1;
  #contentHash = -1;

  /**
   * Sets `line` to the one from `start` to `end`, which is UTF-8. Returns `false` if it has to be parsed: it is unusual
   * or not a result.
   */
  scan(bytes: Buffer, start: number, end: number, line: ExistingLine): boolean {
    line.reset();
    this.#hasIndex = false;
    this.#hasStatus = false;
    this.#input = -1;
    this.#options = -1;
    this.#contentHash = -1;
    const fields = this.#fields;
    fields.start(start);
    while (fields.next(bytes, end)) {
      const after = endOfValue(bytes, fields.at, end);
      if (after < 0) return false;
      if (fields.key >= 0 && !this.#set(bytes, fields.at, after, line, fields.key)) return false;
      fields.at = after;
    }
    return isBlank(bytes, fields.at, end) && this.#hasIndex && this.#hasStatus &&
      this.#setInput(bytes, end, line);
  }

  /** Sets a field to the value from `start` to `end`. Returns whether it is usual. */
  #set(bytes: Buffer, start: number, end: number, line: ExistingLine, key: number): boolean {
    switch (key) {
      // index
      case 0:
        line.index = numberAt(bytes, start, end);
        // Others are reported by the parser.
        this.#hasIndex = line.index >= 0 && line.index <= MAX_INDEX &&
          Number.isInteger(line.index);
        return this.#hasIndex;
      // status
      case 1:
        line.status = isText(bytes, start + 1, end - 1, SUCCESS) ? "success" : "error";
        this.#hasStatus = bytes[start] === QUOTE &&
          (line.status === "success" || isText(bytes, start + 1, end - 1, ERROR));
        return this.#hasStatus;
      // requested_model
      case 2:
        if (bytes[start] !== QUOTE) return false;
        line.requested_model = this.#requestedModels.text(bytes, start + 1, end - 1);
        return true;
      // model
      case 3:
        if (bytes[start] !== QUOTE) return false;
        line.model = this.#models.text(bytes, start + 1, end - 1);
        return true;
      // cost
      case 4:
        line.cost = numberAt(bytes, start, end);
        return !Number.isNaN(line.cost);
      // spent_before
      case 5:
        line.spent_before = numberAt(bytes, start, end);
        return !Number.isNaN(line.spent_before);
      // input
      case 6:
        this.#input = start;
        return true;
      // options
      case 7:
        return this.#setOptions(bytes, start, end, line);
      // content_hash
      case 8:
        this.#contentHash = start;
        return true;
      // parsed
      case 9:
        line.isParsed = true;
        return true;
      // tool_calls
      case 10:
        line.hasToolCalls = true;
        return true;
    }
    return false;
  }

  /** Reads the record's own options. Returns whether they are usual. */
  #setOptions(bytes: Buffer, start: number, end: number, line: ExistingLine): boolean {
    this.#options = start;
    line.hasOwnModel = false;
    const fields = this.#optionFields;
    fields.start(start);
    while (fields.next(bytes, end)) {
      if (fields.key >= 0) line.hasOwnModel = true;
      fields.at = endOfValue(bytes, fields.at, end);
    }
    return fields.at === end;
  }

  /** Sets the hash of the input. Returns whether it is usual. */
  #setInput(bytes: Buffer, end: number, line: ExistingLine): boolean {
    if (this.#input < 0) {
      line.setWithoutInput();
      return true;
    }
    const identity = this.#identity;
    identity.clear();
    this.#copyIdentity(bytes, end);
    if (identity.mayHaveName) return false;
    line.setFingerprint(fingerprintOfJson(identity.buffer.bytes));
    return true;
  }

  /** Copies what `lineIdentity` returns for a parsed line. */
  #copyIdentity(bytes: Buffer, end: number): void {
    const identity = this.#identity;
    if (this.#options < 0 && this.#contentHash < 0) {
      identity.copy(bytes, this.#input, end);
      return;
    }
    const { buffer } = identity;
    buffer.addText("{");
    if (this.#options >= 0) {
      buffer.addText('"options":');
      identity.copy(bytes, this.#options, end);
      buffer.addText(",");
    }
    buffer.addText('"messages":');
    identity.copy(bytes, this.#input, end);
    if (this.#contentHash >= 0) {
      buffer.addText(',"content_hash":');
      identity.copy(bytes, this.#contentHash, end);
    }
    buffer.addText("}");
  }
}
