/**
 * Reads the records of an open input.
 *
 * @module
 */
import type { IndexedRecord } from "../batch/executor.ts";
import type { BatchRecord } from "../chat/record.ts";
import { decodeLine, LineReader, type LineText, MAX_LINE, readByteLines } from "../files/lines.ts";
import { isTooDeep, type Json, MAX_DEPTH, parseExact } from "../json/json.ts";
import { jsonProblem } from "../json/problem.ts";
import { NOT_UTF8 } from "./foreign_format.ts";
import { type Conversion, type Converted, RecordConverter } from "./formats.ts";
import type { BatchSource, InputFile } from "./input_source.ts";
import { OPTION_FIELDS } from "./option_fields.ts";
import type { PendingLines } from "./pending_lines.ts";
import { PlainLines } from "./plain_lines.ts";
import type { RecordTemplate } from "./record_template.ts";
import type { Selection } from "./selection.ts";

/** A line that is not a valid record. */
export interface InvalidLine {
  /** File, line and, if known, column, followed by what is wrong. */
  problem: string;
  /** What is wrong, without the position. */
  reason: string;
  /** What to do about it. */
  hint?: string;
}

/** A record with the position of its line. */
export type LocatedRecord = IndexedRecord & {
  /** The number of its file in the input, from 0. */
  file: number;
  /** The line's number in that file, from 1. */
  line: number;
  /** Byte offset of the line's start. */
  offset: number;
};

/** How an input is read. */
export interface ReadOptions extends Conversion, Selection {
  /** Whether to skip invalid lines instead of refusing the input. @default false */
  skipInvalid?: boolean;
  /** Applied to every record. */
  recordTemplate?: RecordTemplate;
}

const TOO_DEEP = `nested more than ${MAX_DEPTH} levels deep`;
const TOO_LONG = `longer than ${MAX_LINE / 1024 / 1024} MB`;
const BOM = 0xfeff;

type Parsed = { record: BatchRecord } | InvalidLine;

/** Parses the lines of one file. */
class LineParser {
  readonly #file: InputFile;
  readonly #isTable: boolean;
  readonly #convert: (value: unknown) => Converted;

  constructor(file: InputFile, options: ReadOptions) {
    this.#file = file;
    this.#isTable = file.columns !== undefined;
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
  parse({ valid, tooLong, text: line }: LineText, number: number): Parsed {
    const { content, origin } = this.#file;
    if (tooLong) return this.#invalid(number, line, TOO_LONG);
    if (!valid) return this.#invalid(number, line, NOT_UTF8);
    const text = origin === "position" ? line.slice(line.indexOf(" ") + 1) : withoutMark(line);
    let value: unknown;
    if (content === "text") {
      value = text.trimEnd();
    } else {
      try {
        value = parseExact(text);
      } catch (error) {
        if (error instanceof RangeError) return this.#invalid(number, line, TOO_DEEP);
        return this.#invalidJson(text, number, line);
      }
      // A shorter text cannot be nested that deeply.
      if (text.length > MAX_DEPTH * 2 && isTooDeep(value)) {
        return this.#invalid(number, line, TOO_DEEP);
      }
      // table.ts writes a string in place of a row that is not a record.
      if (this.#isTable && typeof value === "string") return this.#invalid(number, line, value);
    }
    if (this.#file.isFiles) return this.#fileRecord(value);
    const converted = this.#convert(value);
    return "problem" in converted
      ? this.#invalid(number, line, converted.problem, converted.hint)
      : converted;
  }

  /** Where the line `number` comes from. */
  locate(number: number, line: string): string {
    const { name, origin } = this.#file;
    if (origin === "row") return `${name}, row ${number}`;
    return `${name}:${origin === "position" ? line.slice(0, line.indexOf(" ")) : number}`;
  }

  #invalid(number: number, line: string, reason: string, hint?: string): InvalidLine {
    return { problem: `${this.locate(number, line)}: ${reason}`, reason, hint };
  }

  #invalidJson(text: string, number: number, line: string): InvalidLine {
    const isPart = this.#file.origin === "position";
    const { reason: mistake, ...at } = jsonProblem(isPart ? text.replaceAll("\r", "\n") : text);
    const reason = `not valid JSON (${mistake})`;
    let position = `${number}:${at.column}`;
    if (isPart) {
      const [startLine, startColumn] = line.slice(0, line.indexOf(" ")).split(":").map(Number);
      position = at.line === 1
        ? `${startLine}:${startColumn + at.column - 1}`
        : `${startLine + at.line - 1}:${at.column}`;
    }
    return { problem: `${this.#file.name}:${position}: ${reason}`, reason };
  }

  /** The record of a file: file_records.ts writes its line, with a string in place of an unusable file. */
  #fileRecord(value: unknown): Parsed {
    if (typeof value === "string") return { problem: value, reason: value };
    const { content_hash: contentHash, ...fields } = value as Json & { content_hash?: string };
    const converted = this.#convert(fields);
    if ("problem" in converted) {
      const { problem } = converted;
      return { problem: `${fields.file}: ${problem}`, reason: problem };
    }
    return { record: { ...converted.record, contentHash } };
  }
}

/** Concatenated files have a byte order mark at the start of each. */
function withoutMark(text: string): string {
  return text.charCodeAt(0) === BOM ? text.slice(1) : text;
}

/** A record that is done. Its line was not parsed. */
export interface DoneRecord {
  done: true;
  index: number;
}

/** Whether the record `index` is done with an input that has the fingerprint `print`. */
export type IsDoneWith = (index: number, print: number) => boolean;

/**
 * Yields the records and the invalid lines of `input` in order; of a shard only its own. Every line that
 * is not blank has an index, so fixing an invalid line does not shift the others. Indexes run on from
 * file to file. Returns the number of such lines.
 *
 * @param isDoneWith recognizes records that are done, so that most of them need not be parsed; default: none is
 */
export function readRecords(
  input: BatchSource,
  options: ReadOptions,
): Generator<LocatedRecord | InvalidLine, number, void>;
export function readRecords(
  input: BatchSource,
  options: ReadOptions,
  isDoneWith: IsDoneWith | undefined,
): Generator<LocatedRecord | InvalidLine | DoneRecord, number, void>;
export function* readRecords(
  input: BatchSource,
  options: ReadOptions,
  isDoneWith?: IsDoneWith,
): Generator<LocatedRecord | InvalidLine | DoneRecord, number, void> {
  const { shard } = options;
  let index = 0;
  for (const [number, file] of input.files.entries()) {
    const parser = new LineParser(file, options);
    const plain = isDoneWith && PlainLines.of(file, options);
    for (const line of readByteLines(file.read ?? file.fd)) {
      const isSelected = shard === undefined || index % shard.count === shard.index;
      if (isSelected && plain !== undefined && isDoneWith!(index, plain.fingerprint(line))) {
        yield { done: true, index: index++ };
        continue;
      }
      const text = decodeLine(line);
      if (withoutMark(text.text).trim() === "") continue;
      if (isSelected) {
        const parsed = parser.parse(text, line.number);
        // Spread first: Bun is slow at adding the fields of an object to another.
        yield "record" in parsed
          ? { ...parsed.record, index, file: number, line: line.number, offset: line.offset }
          : parsed;
      }
      index++;
    }
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
  input: BatchSource,
  options: ReadOptions,
  check: { lines: PendingLines },
): Generator<IndexedRecord, void, void> {
  let current = -1;
  let [parser, reader]: [LineParser?, LineReader?] = [];
  for (const { file, index, number, offset } of check.lines) {
    if (parser === undefined || reader === undefined || file !== current) {
      current = file;
      parser = new LineParser(input.files[file], options);
      reader = new LineReader(input.files[file].read ?? input.files[file].fd);
    }
    const line = reader.at(offset);
    const parsed = parser.parse(line, number);
    // The bytes are the ones that were checked, so they are a record.
    if ("record" in parsed) {
      const location = input.isFiles
        ? String(parsed.record.metadata?.file)
        : parser.locate(number, line.text);
      yield { ...parsed.record, index, location };
    }
  }
}
