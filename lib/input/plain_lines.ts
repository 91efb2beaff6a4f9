/**
 * Recognizes records that are done from the bytes of their lines, without parsing them: resuming a large batch reads
 * its whole input, of which most lines are a prompt or a conversation and fields that do not affect it.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { fingerprintOfJson } from "../batch/journal/fingerprint.ts";
import type { ByteLine } from "../files/lines.ts";
import {
  afterSpaces,
  BACKSLASH,
  COMMA,
  endOfValue,
  isBlank,
  isText,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
} from "../json/byte_scanner.ts";
import { NormalJsonCopier } from "../json/copy_normal_json.ts";
import { FieldReader } from "../json/field_reader.ts";
import { KeyTable } from "../json/key_table.ts";
import type { Conversion } from "./formats.ts";
import type { InputFile } from "./input_source.ts";
import { OPTION_FIELDS } from "./option_fields.ts";
import { PROMPT_DATA_FIELDS } from "./record_content.ts";
import type { RecordTemplate } from "./record_template.ts";

const encoder = new TextEncoder();

/** Fields that hold the whole conversation, if no other field of {@link FIELDS} exists. */
const MESSAGES = "messages";
const PROMPTS = ["q", "question", "prompt", "instruction"];
/** All fields that affect the conversation or the options of a record. */
const FIELDS = [
  ...new Set([
    MESSAGES,
    ...PROMPTS,
    ...PROMPT_DATA_FIELDS,
    ...OPTION_FIELDS.keys(),
    "system",
    "body",
  ]),
];
/** What follows the prompt in a conversation of one prompt. */
const PROMPT_END = encoder.encode("}]");
const KEYS = new KeyTable(FIELDS);
const MESSAGE_KEYS = new KeyTable(["role", "content"]);
const ROLE = 0;
const ROLES = ["system", "developer", "user", "assistant"].map((role) => encoder.encode(role));
/** The roles before this one are those of system prompts. */
const USER = 2;
/** The first bytes of common Chinese, Japanese and Korean characters. */
const [FIRST_CJK, LAST_CJK] = [0xe4, 0xed];
const LAST_ASCII = 0x7e;

/** How the lines are read. */
interface PlainOptions extends Conversion {
  recordTemplate?: RecordTemplate;
}

/** Computes the fingerprints of the inputs of records that consist of a prompt or a conversation. */
export class PlainLines {
  readonly #fields = new FieldReader(KEYS);
  readonly #messageFields = new FieldReader(MESSAGE_KEYS);
  readonly #identity = new NormalJsonCopier();
  readonly #system: string | undefined;
  readonly #dropAnswer: boolean;
  /** What precedes the prompt in a conversation of one prompt, in normal JSON. */
  readonly #promptStart: Uint8Array;

  private constructor(system: string | undefined, dropAnswer: boolean) {
    this.#system = system;
    // An empty system prompt is none.
    const message = system ? `{"role":"system","content":${JSON.stringify(system)}},` : "";
    this.#promptStart = encoder.encode(`[${message}{"role":"user","content":`);
    this.#dropAnswer = dropAnswer;
  }

  /** For the lines of `file`; `undefined` if all of them have to be parsed. */
  static of(file: InputFile, options: PlainOptions): PlainLines | undefined {
    const { system, template, recordTemplate, asMetadata = [], dropAnswer = false } = options;
    const isPlain = (file.content ?? "json") === "json" && (file.origin ?? "line") === "line" &&
      file.columns === undefined && !file.isFiles && template === undefined &&
      recordTemplate === undefined && typeof system !== "object" && asMetadata.length === 0;
    return isPlain ? new PlainLines(system, dropAnswer) : undefined;
  }

  /** The fingerprint of the input of the record in `line`; `NaN` if the line has to be parsed. */
  fingerprint({ bytes, start, end, valid }: ByteLine): number {
    if (!valid) return NaN;
    const fields = this.#fields;
    let key = -1;
    let value = 0;
    fields.start(start);
    while (fields.next(bytes, end)) {
      if (fields.key >= 0) {
        if (key >= 0 || fields.key > PROMPTS.length) return NaN;
        key = fields.key;
        value = fields.at;
      }
      fields.at = endOfValue(bytes, fields.at, end);
      if (fields.at < 0) return NaN;
    }
    if (key < 0 || fields.at < 0 || !isBlank(bytes, fields.at, end)) return NaN;
    this.#identity.clear();
    const isCopied = key === 0
      ? this.#copyMessages(bytes, value, end)
      : this.#copyPrompt(bytes, value, end);
    return isCopied ? fingerprintOfJson(this.#identity.buffer.bytes) : NaN;
  }

  /** Copies the conversation of one prompt. Returns `false` if it has to be parsed. */
  #copyPrompt(bytes: Buffer, at: number, end: number): boolean {
    if (bytes[at] !== QUOTE || !hasText(bytes, at + 1)) return false;
    const { buffer } = this.#identity;
    buffer.addBytes(this.#promptStart);
    this.#identity.copy(bytes, at, end);
    buffer.addBytes(PROMPT_END);
    return true;
  }

  /** Copies a conversation whose messages have only a role and text. Returns `false` if it has to be parsed. */
  #copyMessages(bytes: Buffer, start: number, end: number): boolean {
    if (bytes[start] !== OPEN_BRACKET || this.#dropAnswer) return false;
    let isSystemMissing = this.#system !== undefined;
    let at = start;
    do {
      at = afterSpaces(bytes, at + 1);
      const role = this.#roleOf(bytes, at, end);
      if (role < 0) return false;
      if (role < USER) isSystemMissing = false;
      at = afterSpaces(bytes, this.#messageFields.at);
    } while (bytes[at] === COMMA);
    if (isSystemMissing) return false;
    this.#identity.copy(bytes, start, end);
    return true;
  }

  /** The role of the message that starts at `at`, by its position in {@link ROLES}; -1 if it has to be parsed. */
  #roleOf(bytes: Buffer, at: number, end: number): number {
    const fields = this.#messageFields;
    let role = -1;
    let hasContent = false;
    fields.start(at);
    while (fields.next(bytes, end)) {
      const value = fields.at;
      const isRepeated = fields.key === ROLE ? role >= 0 : hasContent;
      if (fields.key < 0 || isRepeated || bytes[value] !== QUOTE) return -1;
      fields.at = endOfValue(bytes, value, end);
      if (fields.key === ROLE) {
        role = ROLES.findIndex((name) => isText(bytes, value + 1, fields.at - 1, name));
        if (role < 0) return -1;
      } else hasContent = true;
    }
    // An escaped name ends the fields early.
    return hasContent && fields.at >= 0 ? role : -1;
  }
}

/** Whether a string whose content starts at `at` has a letter or digit before anything unusual. */
function hasText(bytes: Uint8Array, at: number): boolean {
  while (bytes[at] === SPACE) at++;
  const byte = bytes[at];
  if (byte === BACKSLASH || byte === QUOTE) return false;
  return byte > SPACE && byte <= LAST_ASCII || byte >= FIRST_CJK && byte <= LAST_CJK;
}
