/**
 * Reads the records of a JSONL input.
 *
 * @module
 */
import type { IndexedRecord } from "../batch/executor.ts";
import { LineReader, type LineText, readLinesSync } from "../files/lines.ts";
import { isTooDeep, type Json, MAX_DEPTH, parseExact } from "../json/json.ts";
import { jsonProblem } from "../json/problem.ts";
import { NOT_UTF8 } from "./foreign_format.ts";
import { type Conversion, type Converted, RecordConverter } from "./formats.ts";
import type { InputFile } from "./input_source.ts";
import { OPTION_FIELDS } from "./option_fields.ts";
import type { PendingLines } from "./pending_lines.ts";
import type { RecordTemplate } from "./record_template.ts";
import type { Selection } from "./selection.ts";

/** A line that is not a valid record. */
export interface InvalidLine {
  /** File, line and, if known, column, followed by what is wrong. */
  problem: string;
}

/** A record with its line's position. */
export type LocatedRecord = IndexedRecord & { line: number; offset: number };

/** How an input is read. */
export interface ReadOptions extends Conversion, Selection {
  /** Whether to skip invalid lines instead of refusing the input. @default false */
  skipInvalid?: boolean;
  /** Applied to every record. */
  recordTemplate?: RecordTemplate;
}

const TOO_DEEP = `nested more than ${MAX_DEPTH} levels deep`;
const BOM = 0xfeff;

/** Parses the lines of one input. */
class LineParser {
  readonly #name: string;
  readonly #isTable: boolean;
  readonly #isFiles: boolean;
  readonly #convert: (value: unknown) => Converted;

  constructor({ name, columns, isFiles = false }: InputFile, options: ReadOptions) {
    this.#name = name;
    this.#isTable = columns !== undefined;
    this.#isFiles = isFiles;
    const { recordTemplate, asMetadata = [] } = options;
    const converter = new RecordConverter({
      ...options,
      asMetadata: [
        ...asMetadata,
        ...recordTemplate?.fields.filter((name) => OPTION_FIELDS.has(name)) ?? [],
      ],
      isTable: this.#isTable,
    });
    const convert = (value: unknown) => converter.convert(value);
    this.#convert = recordTemplate === undefined
      ? convert
      : (value) => recordTemplate.apply(value, convert);
  }

  /** Parses the line `number`, which is not blank. */
  parse(
    { valid, text: line }: LineText,
    number: number,
  ): { record: Omit<IndexedRecord, "index"> } | InvalidLine {
    const location = `${this.#name}:${number}`;
    if (!valid) return { problem: `${location}: ${NOT_UTF8}` };
    const text = withoutMark(line);
    let value: unknown;
    try {
      value = parseExact(text);
    } catch (error) {
      if (error instanceof RangeError) return { problem: `${location}: ${TOO_DEEP}` };
      const { column, reason } = jsonProblem(text);
      return { problem: `${location}:${column}: not valid JSON (${reason})` };
    }
    // A shorter text cannot be nested that deeply.
    if (text.length > MAX_DEPTH * 2 && isTooDeep(value)) {
      return { problem: `${location}: ${TOO_DEEP}` };
    }
    // table.ts writes a string in place of a row that is not a record.
    if (this.#isTable && typeof value === "string") return { problem: `${location}: ${value}` };
    if (this.#isFiles) return this.#fileRecord(value);
    const converted = this.#convert(value);
    return "problem" in converted ? { problem: `${location}: ${converted.problem}` } : converted;
  }

  /** The record of a file: file_records.ts writes its line, with a string in place of an unusable file. */
  #fileRecord(value: unknown): { record: Omit<IndexedRecord, "index"> } | InvalidLine {
    if (typeof value === "string") return { problem: value };
    const { content_hash: contentHash, ...fields } = value as Json & { content_hash?: string };
    const converted = this.#convert(fields);
    if ("problem" in converted) return { problem: `${fields.file}: ${converted.problem}` };
    return { record: { ...converted.record, contentHash } };
  }
}

/** Concatenated files have a byte order mark at the start of each. */
function withoutMark(text: string): string {
  return text.charCodeAt(0) === BOM ? text.slice(1) : text;
}

/**
 * Yields the records and the invalid lines of `input` in order; of a shard only its own. Every line that
 * is not blank has an index, so fixing an invalid line does not shift the others. Returns the number of
 * such lines.
 */
export function* readRecords(
  input: InputFile,
  options: ReadOptions,
): Generator<LocatedRecord | InvalidLine, number, void> {
  const { shard } = options;
  const parser = new LineParser(input, options);
  let index = 0;
  for (const line of readLinesSync(input.read ?? input.fd)) {
    if (withoutMark(line.text).trim() === "") continue;
    if (shard === undefined || index % shard.count === shard.index) {
      const { number, offset } = line;
      const parsed = parser.parse(line, number);
      yield "record" in parsed ? { index, line: number, offset, ...parsed.record } : parsed;
    }
    index++;
  }
  return index;
}

/**
 * Yields the records that `checkInput` found to be pending. Only their lines are read, and nothing is
 * compared again.
 *
 * @param check the result of `checkInput` for the same input and options
 * @throws {InvalidInputError} if the input has changed since
 */
export function* pendingRecords(
  input: InputFile,
  options: ReadOptions,
  check: { lines: PendingLines },
): Generator<IndexedRecord, void, void> {
  const parser = new LineParser(input, options);
  const reader = new LineReader(input.read ?? input.fd);
  for (const { index, number, offset } of check.lines) {
    const parsed = parser.parse(reader.at(offset), number);
    // The bytes are the ones that were checked, so they are a record.
    if ("record" in parsed) yield { index, line: number, ...parsed.record };
  }
}
