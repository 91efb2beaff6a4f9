/**
 * Converts CSV and TSV to JSONL. Each row becomes a JSON object with the same line number, so messages
 * about a record name the right line of the table.
 *
 * Source: RFC 4180, and the variants that spreadsheets write: a byte order mark, semicolons, empty rows.
 *
 * @module
 */
import { CsvError, Parser } from "csv-parse";
import { Buffer, isUtf8 } from "node:buffer";
import { readSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InvalidInputError } from "../errors.ts";
import { chunksOf } from "./chunks.ts";
import { NOT_UTF8 } from "./foreign_format.ts";
import type { InputFile } from "./input_source.ts";
import { NumberedLines } from "./numbered_lines.ts";
import { TemporaryFile } from "../files/temporary_file.ts";

/** The format of a table. */
export interface TableOptions {
  format: "csv" | "tsv";
  /** @default detected in the first line; a tab in TSV */
  delimiter?: string;
  /** Whether quotes enclose cells. @default true */
  quotes?: boolean;
}

/** Maximum characters of a row. A longer one has an unclosed quote. */
const MAX_ROW = 100_000_000;
const DELIMITERS = [",", ";", "\t", "|"];

/** Detects the delimiter in the first line: the first of {@link DELIMITERS} that it contains. */
function findDelimiter(head: Buffer): string {
  const text = head.toString("utf8").replace(/"[^"]*"/g, "").replace(/^[\ufeff\r\n]+/, "");
  const [header] = text.split(/[\r\n]/, 1);
  return DELIMITERS.find((delimiter) => header.includes(delimiter)) ?? ",";
}

/** Tracks the line numbers of rows. The parser's own count is wrong for CRLF in quotes. */
class RowPosition {
  /** The line on which the next row starts, not counting empty lines before it. */
  #line = 1;
  #emptyLines = 0;
  #bytes = 0;

  /** The line on which the parser's current row starts. */
  lineOf(info: { empty_lines: number }): number {
    return this.#line + info.empty_lines - this.#emptyLines;
  }

  /** Advances past a row and returns where it was: its line, and its first and last byte. */
  advance(
    cells: readonly string[],
    info: { empty_lines: number; bytes: number },
  ): { line: number; start: number; end: number } {
    const row = { line: this.lineOf(info), start: this.#bytes, end: info.bytes };
    this.#line = row.line + 1;
    for (const cell of cells) {
      for (let at = cell.indexOf("\n"); at >= 0; at = cell.indexOf("\n", at + 1)) this.#line++;
    }
    this.#emptyLines = info.empty_lines;
    this.#bytes = info.bytes;
    return row;
  }
}

function checkHeader(columns: readonly string[], location: string): void {
  const empty = columns.indexOf("");
  if (empty >= 0) {
    throw new InvalidInputError(
      `${location}: column ${empty + 1} of ${columns.length} has no name`,
      {
        hint: "Name it in the first line. In pandas, to_csv(…, index=False) omits it.",
      },
    );
  }
  const duplicate = columns.find((name, i) => columns.indexOf(name) < i);
  if (duplicate !== undefined) {
    throw new InvalidInputError(`${location}: two columns are named ${JSON.stringify(duplicate)}`, {
      hint: "The first line must name each column differently.",
    });
  }
}

/** Writes the rows of a table as JSON lines. */
class TableConverter {
  readonly #input: InputFile;
  readonly #lines: NumberedLines;
  readonly #position = new RowPosition();
  #keys: string[] = [];
  /** The names in the first row. */
  columns: readonly string[] = [];

  constructor(input: InputFile, file: TemporaryFile) {
    this.#input = input;
    this.#lines = new NumberedLines(file);
  }

  /** Converts the next row. */
  row(cells: string[], info: { empty_lines: number; bytes: number }): void {
    const { line, start, end } = this.#position.advance(cells, info);
    // Spreadsheets write rows without any text. They count as blank lines.
    if (cells[0].trim() === "" && cells.every((cell) => cell.trim() === "")) return;
    const valid = !cells.some((cell) => cell.includes("\ufffd")) || this.#isUtf8(start, end);
    const location = `${this.#input.name}:${line}`;
    if (this.columns.length === 0) {
      if (!valid) throw new InvalidInputError(`${location}: ${NOT_UTF8}`);
      this.columns = cells.map((cell) => cell.trim());
      checkHeader(this.columns, location);
      this.#keys = this.columns.map((name, i) => `${i === 0 ? "{" : ","}${JSON.stringify(name)}:`);
    } else if (!valid) {
      this.#problem(line, NOT_UTF8);
    } else if (cells.length !== this.columns.length) {
      this.#problem(
        line,
        `expected ${this.columns.length} cells, as in the first line, got ${cells.length}`,
      );
    } else {
      let text = "";
      for (let i = 0; i < cells.length; i++) text += this.#keys[i] + JSON.stringify(cells[i]);
      this.#lines.write(line, `${text}}`);
    }
  }

  /** Writes the last lines. */
  end(): void {
    this.#lines.flush();
  }

  /** The error for the row at which the parser failed. */
  failure(error: CsvError): InvalidInputError {
    const info = error as unknown as { empty_lines: number };
    const location = `${this.#input.name}:${this.#position.lineOf(info)}`;
    const hint =
      'Double the quotes inside a quoted cell: "say ""hi""". If quotes are ordinary text, use --no-quotes.';
    switch (String(error.code)) {
      case "INVALID_OPENING_QUOTE":
        return new InvalidInputError(
          `${location}: a quote (") inside an unquoted cell`,
          {
            hint,
          },
        );
      case "CSV_INVALID_CLOSING_QUOTE":
        return new InvalidInputError(`${location}: text after the closing quote of a cell`, {
          hint,
        });
      case "CSV_QUOTE_NOT_CLOSED":
        return new InvalidInputError(`${location}: a quote in this row is never closed`, {
          hint,
        });
      case "CSV_MAX_RECORD_SIZE":
        return new InvalidInputError(
          `${location}: this row has more than ${MAX_ROW} characters; is a quote unclosed?`,
          { hint },
        );
      default:
        return new InvalidInputError(`${location}: ${error.message}`);
    }
  }

  /** Writes why a row is not a record: as a string, where records are objects. */
  #problem(line: number, problem: string): void {
    this.#lines.write(line, JSON.stringify(problem));
  }

  #isUtf8(start: number, end: number): boolean {
    const bytes = Buffer.alloc(end - start);
    readSync(this.#input.fd, bytes, 0, bytes.length, start);
    return isUtf8(bytes);
  }
}

/**
 * Converts the table `input` to JSONL in a temporary file, and closes it.
 *
 * @param head its first bytes
 * @throws {InvalidInputError} if columns lack names or share one, or a quote is misplaced
 */
export async function readTable(
  input: InputFile,
  head: Buffer,
  { format, delimiter, quotes = true }: TableOptions,
): Promise<InputFile> {
  const file = new TemporaryFile(input.name);
  const converter = new TableConverter(input, file);
  try {
    const parser = new Parser({
      bom: true,
      delimiter: delimiter ?? (format === "tsv" ? "\t" : findDelimiter(head)),
      max_record_size: MAX_ROW,
      quote: quotes ? '"' : null,
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
      skip_empty_lines: true,
      // Nothing is passed on, so the stream buffers no rows.
      on_record: (cells: unknown, info) => void converter.row(cells as string[], info),
    });
    parser.resume();
    await pipeline(Readable.from(chunksOf(input.fd)), parser);
    converter.end();
  } catch (error) {
    file.close();
    throw error instanceof CsvError ? converter.failure(error) : error;
  }
  input.close();
  return { name: input.name, fd: file.fd, columns: converter.columns, close: () => file.close() };
}
