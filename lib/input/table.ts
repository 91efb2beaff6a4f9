/**
 * CSV and TSV as JSONL: each row becomes a JSON object on the line of the same number, so that all
 * that reads records reads tables as well, and names the right line.
 *
 * Source: RFC 4180, and what spreadsheets make of it: a byte order mark, semicolons, empty rows.
 *
 * @module
 */
import { CsvError, Parser } from "csv-parse";
import { Buffer, isUtf8 } from "node:buffer";
import { readSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InvalidInputError } from "../errors.ts";
import { NOT_UTF8 } from "./foreign_format.ts";
import type { InputFile } from "./input_source.ts";
import { NumberedLines } from "./numbered_lines.ts";
import { TemporaryFile } from "../files/temporary_file.ts";

/** How a table is written. */
export interface TableOptions {
  format: "csv" | "tsv";
  delimiter?: string;
  quotes?: boolean;
}

const CHUNK = 1 << 20;
/** Characters of one row; more are a quote that is not closed. */
const MAX_ROW = 100_000_000;
const DELIMITERS = [",", ";", "\t", "|"];

/** What stands between the names of the first line: a comma if there is one, else what there is. */
function findDelimiter(head: Buffer): string {
  const text = head.toString("utf8").replace(/"[^"]*"/g, "").replace(/^[\ufeff\r\n]+/, "");
  const [header] = text.split(/[\r\n]/, 1);
  return DELIMITERS.find((delimiter) => header.includes(delimiter)) ?? ",";
}

/** Follows where in the file the rows stand; the parser's own count is wrong for CRLF in quotes. */
class Place {
  /** The line on which the next row begins, empty lines before it not counted. */
  #line = 1;
  #emptyLines = 0;
  #bytes = 0;

  /** The line on which the row begins at which the parser is. */
  lineOf(info: { empty_lines: number }): number {
    return this.#line + info.empty_lines - this.#emptyLines;
  }

  /** Goes on behind a row; gives where it stood. */
  pass(
    cells: readonly string[],
    info: { empty_lines: number; bytes: number },
  ): { line: number; start: number; end: number } {
    const passed = { line: this.lineOf(info), start: this.#bytes, end: info.bytes };
    this.#line = passed.line + 1;
    for (const cell of cells) {
      for (let at = cell.indexOf("\n"); at >= 0; at = cell.indexOf("\n", at + 1)) this.#line++;
    }
    this.#emptyLines = info.empty_lines;
    this.#bytes = info.bytes;
    return passed;
  }
}

function checkHeader(columns: readonly string[], place: string): void {
  const empty = columns.indexOf("");
  if (empty >= 0) {
    throw new InvalidInputError(`${place}: column ${empty + 1} of ${columns.length} has no name`, {
      hint: "Name it in the first line. pandas leaves it out with to_csv(…, index=False).",
    });
  }
  const twice = columns.find((name, i) => columns.indexOf(name) < i);
  if (twice !== undefined) {
    throw new InvalidInputError(`${place}: two columns are called ${JSON.stringify(twice)}`, {
      hint: "Give each its own name in the first line.",
    });
  }
}

/** A table being made into lines. */
class TableReader {
  readonly #input: InputFile;
  readonly #lines: NumberedLines;
  readonly #place = new Place();
  #keys: string[] = [];
  /** Set by the first row. */
  columns: readonly string[] = [];

  constructor(input: InputFile, file: TemporaryFile) {
    this.#input = input;
    this.#lines = new NumberedLines(file);
  }

  /** Takes the next row. */
  row(cells: string[], info: { empty_lines: number; bytes: number }): void {
    const { line, start, end } = this.#place.pass(cells, info);
    // Spreadsheets leave rows without any text; they are as blank lines.
    if (cells[0].trim() === "" && cells.every((cell) => cell.trim() === "")) return;
    const valid = !cells.some((cell) => cell.includes("\ufffd")) || this.#isUtf8(start, end);
    const place = `${this.#input.name}:${line}`;
    if (this.columns.length === 0) {
      if (!valid) throw new InvalidInputError(`${place}: ${NOT_UTF8}`);
      this.columns = cells.map((cell) => cell.trim());
      checkHeader(this.columns, place);
      this.#keys = this.columns.map((name, i) => `${i === 0 ? "{" : ","}${JSON.stringify(name)}:`);
    } else if (!valid) {
      this.#problem(line, NOT_UTF8);
    } else if (cells.length !== this.columns.length) {
      this.#problem(
        line,
        `expected ${this.columns.length} cells as in the first line, got ${cells.length}`,
      );
    } else {
      let text = "";
      for (let i = 0; i < cells.length; i++) text += this.#keys[i] + JSON.stringify(cells[i]);
      this.#lines.write(line, `${text}}`);
    }
  }

  /** Ends the lines. */
  end(): void {
    this.#lines.flush();
  }

  /** What is wrong with the row at which the parser gave up. */
  failure(error: CsvError): InvalidInputError {
    const info = error as unknown as { empty_lines: number };
    const place = `${this.#input.name}:${this.#place.lineOf(info)}`;
    const hint =
      'Quotes within a quoted cell are doubled: "say ""hi""". If quotes are only text: --no-quotes';
    switch (String(error.code)) {
      case "INVALID_OPENING_QUOTE":
        return new InvalidInputError(
          `${place}: a quote (") within a cell that has none around it`,
          {
            hint,
          },
        );
      case "CSV_INVALID_CLOSING_QUOTE":
        return new InvalidInputError(`${place}: a quoted cell goes on after its closing quote`, {
          hint,
        });
      case "CSV_QUOTE_NOT_CLOSED":
        return new InvalidInputError(`${place}: a quote is opened in this row and never closed`, {
          hint,
        });
      case "CSV_MAX_RECORD_SIZE":
        return new InvalidInputError(
          `${place}: this row has more than ${MAX_ROW} characters; is a quote not closed?`,
          { hint },
        );
      default:
        return new InvalidInputError(`${place}: ${error.message}`);
    }
  }

  /** A line that is a text instead of an object says why the row is no record. */
  #problem(line: number, problem: string): void {
    this.#lines.write(line, JSON.stringify(problem));
  }

  #isUtf8(start: number, end: number): boolean {
    const bytes = Buffer.alloc(end - start);
    readSync(this.#input.fd, bytes, 0, bytes.length, start);
    return isUtf8(bytes);
  }
}

function* chunksOf(fd: number): Generator<Buffer> {
  for (let position = 0;;) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const read = readSync(fd, chunk, 0, CHUNK, position);
    if (read === 0) return;
    position += read;
    yield chunk.subarray(0, read);
  }
}

/**
 * Reads the table `input`, which begins with `head`, and closes it. What comes back has its rows as
 * JSONL.
 *
 * @throws {InvalidInputError} when columns have no name or the same, or a quote is out of place
 */
export async function readTable(
  input: InputFile,
  head: Buffer,
  { format, delimiter, quotes = true }: TableOptions,
): Promise<InputFile> {
  const file = new TemporaryFile(input.name);
  const reader = new TableReader(input, file);
  try {
    const parser = new Parser({
      bom: true,
      delimiter: delimiter ?? (format === "tsv" ? "\t" : findDelimiter(head)),
      max_record_size: MAX_ROW,
      quote: quotes ? '"' : null,
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
      skip_empty_lines: true,
      // Nothing is given on, so memory stays flat whatever the stream's own buffers do.
      on_record: (cells: unknown, info) => void reader.row(cells as string[], info),
    });
    parser.resume();
    await pipeline(Readable.from(chunksOf(input.fd)), parser);
    reader.end();
  } catch (error) {
    file.close();
    throw error instanceof CsvError ? reader.failure(error) : error;
  }
  input.close();
  return { name: input.name, fd: file.fd, columns: reader.columns, close: () => file.close() };
}
