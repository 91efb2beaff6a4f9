/**
 * Writes CSV and TSV (RFC 4180).
 *
 * @module
 */
import { stringify } from "csv-stringify/sync";
import { cellText } from "../cell_text.ts";
import type { TableWriter } from "./table_writer.ts";

/** How to write a table of text. */
export interface CsvOptions {
  delimiter: "," | "\t";
  /**
   * Whether spreadsheet programs will open the file. It gets a byte order mark, without which Excel does not
   * expect UTF-8, and a quote before texts that would be formulas.
   *
   * @default false
   */
  spreadsheet?: boolean;
}

/** Rows converted at once. */
const ROWS = 200;
/** What starts a formula. A tab or return before it would be removed by the spreadsheet. */
const FORMULA = /^[=+\-@\t\r]/;
const BOM = "\ufeff";

/** A writer of CSV or TSV. */
export class CsvWriter implements TableWriter {
  readonly #write: (text: string) => void;
  readonly #options: CsvOptions;
  #rows: string[][] = [];

  /** Writes the header. */
  constructor(names: readonly string[], write: (text: string) => void, options: CsvOptions) {
    this.#write = write;
    this.#options = options;
    if (options.spreadsheet) write(BOM);
    this.#rows.push(names.map((name) => this.#escaped(name)));
  }

  row(values: readonly unknown[]): void {
    this.#rows.push(values.map((value) => {
      const text = cellText(value);
      // Numbers are not formulas.
      return typeof value === "string" ? this.#escaped(text) : text;
    }));
    if (this.#rows.length >= ROWS) this.end();
  }

  end(): void {
    if (this.#rows.length === 0) return;
    const { delimiter, spreadsheet } = this.#options;
    const rows = this.#rows;
    this.#rows = [];
    this.#write(stringify(rows, {
      delimiter,
      record_delimiter: spreadsheet ? "windows" : "unix",
      // The package quotes cells with "\n" only.
      quoted_match: /\r/,
    }));
  }

  #escaped(text: string): string {
    return this.#options.spreadsheet && FORMULA.test(text) ? `'${text}` : text;
  }
}
