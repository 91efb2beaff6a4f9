/**
 * Reads the records of an open input.
 *
 * @module
 */
import type { IndexedRecord } from "../batch/executor.ts";
import { LineReader, type LineText, readLinesSync } from "../files/lines.ts";
import { isTooDeep, MAX_DEPTH, parseExact } from "../json/json.ts";
import { jsonProblem } from "../json/problem.ts";
import { NOT_UTF8 } from "./foreign_format.ts";
import { type Conversion, RecordConverter } from "./formats.ts";
import type { BatchSource, InputFile } from "./input_source.ts";
import type { PendingLines } from "./pending_lines.ts";
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
}

const TOO_DEEP = `nested more than ${MAX_DEPTH} levels deep`;
const BOM = 0xfeff;

function invalid(location: string, reason: string, hint?: string): InvalidLine {
  return { problem: `${location}: ${reason}`, reason, hint };
}

/** Parses the lines of one file. */
class LineParser {
  readonly #file: InputFile;
  readonly #isTable: boolean;
  readonly #converter: RecordConverter;

  constructor(file: InputFile, options: ReadOptions) {
    this.#file = file;
    this.#isTable = file.columns !== undefined;
    this.#converter = new RecordConverter({ ...options, isTable: this.#isTable });
  }

  /** Parses the line `number`, which is not blank. */
  parse(
    { valid, text: line }: LineText,
    number: number,
  ): { record: Omit<IndexedRecord, "index"> } | InvalidLine {
    const { name, origin, content } = this.#file;
    let text = withoutMark(line);
    let location = origin === "row" ? `${name}, row ${number}` : `${name}:${number}`;
    let position = "";
    if (origin === "position") {
      position = text.slice(0, text.indexOf(" "));
      text = text.slice(position.length + 1);
      location = `${name}:${position}`;
    }
    if (!valid) return invalid(location, NOT_UTF8);
    let value: unknown;
    if (content === "text") {
      value = text.trimEnd();
    } else {
      try {
        value = parseExact(text);
      } catch (error) {
        if (error instanceof RangeError) return invalid(location, TOO_DEEP);
        return this.#invalidJson(text, location, position);
      }
      // A shorter text cannot be nested that deeply.
      if (text.length > MAX_DEPTH * 2 && isTooDeep(value)) return invalid(location, TOO_DEEP);
      // table.ts writes a string in place of a row that is not a record.
      if (this.#isTable && typeof value === "string") return invalid(location, value);
    }
    const converted = this.#converter.convert(value);
    if ("problem" in converted) return invalid(location, converted.problem, converted.hint);
    return { record: { location, ...converted.record } };
  }

  #invalidJson(text: string, location: string, position: string): InvalidLine {
    const { line, column, reason } = jsonProblem(
      position === "" ? text : text.replaceAll("\r", "\n"),
    );
    const problem = `not valid JSON (${reason})`;
    if (position === "") return invalid(`${location}:${column}`, problem);
    const [startLine, startColumn] = position.split(":").map(Number);
    const exact = line === 1
      ? `${startLine}:${startColumn + column - 1}`
      : `${startLine + line - 1}:${column}`;
    return invalid(`${this.#file.name}:${exact}`, problem);
  }
}

/** Concatenated files have a byte order mark at the start of each. */
function withoutMark(text: string): string {
  return text.charCodeAt(0) === BOM ? text.slice(1) : text;
}

/**
 * Yields the records and the invalid lines of `input` in order; of a shard only its own. Every line that
 * is not blank has an index, so fixing an invalid line does not shift the others. Indexes run on from
 * file to file. Returns the number of such lines.
 */
export function* readRecords(
  input: BatchSource,
  options: ReadOptions,
): Generator<LocatedRecord | InvalidLine, number, void> {
  const { shard } = options;
  let index = 0;
  for (const [number, file] of input.files.entries()) {
    const parser = new LineParser(file, options);
    for (const line of readLinesSync(file.read ?? file.fd)) {
      if (withoutMark(line.text).trim() === "") continue;
      if (shard === undefined || index % shard.count === shard.index) {
        const parsed = parser.parse(line, line.number);
        yield "record" in parsed
          ? { index, file: number, line: line.number, offset: line.offset, ...parsed.record }
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
    const parsed = parser.parse(reader.at(offset), number);
    // The bytes are the ones that were checked, so they are a record.
    if ("record" in parsed) yield { index, ...parsed.record };
  }
}
