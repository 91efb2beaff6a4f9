/**
 * Converts selected results to a table: CSV, TSV, JSON lines, Markdown or Parquet.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { ResultRecord } from "../batch/journal/result_line.ts";
import { BufferedWriter } from "../files/buffered_writer.ts";
import { type Column, ColumnFinder } from "./columns.ts";
import type { ResultSelection } from "./selection.ts";
import type { TableFormat, TableWriter, WriteBytes } from "./table/table_writer.ts";

/** How to convert results. */
export interface ConvertOptions {
  format: TableFormat;
  /** The columns in their order; without any, a selection of what the results have. */
  columns?: readonly string[];
  /** Whether CSV and TSV will be opened by a spreadsheet program. @default false */
  spreadsheet?: boolean;
}

/** What was converted. */
export interface Converted {
  /** The number of results. */
  rows: number;
  /** The names of the columns; `undefined` if the results were copied unchanged. */
  columns: string[] | undefined;
}

/** Copies the lines unchanged. */
function copyLines(selection: ResultSelection, write: WriteBytes): Converted {
  const writer = new BufferedWriter(write);
  let rows = 0;
  selection.eachRecord((_record, { bytes: { buffer, start, end } }) => {
    writer.bytes(buffer.subarray(start, end));
    writer.text("\n");
    rows++;
  });
  writer.flush();
  return { rows, columns: undefined };
}

function valuesOf(columns: readonly Column[], record: ResultRecord, file: string): unknown[] {
  return columns.map(({ value }) => value(record, file));
}

/**
 * Converts the selected results and passes the bytes of the table to `write`.
 *
 * @throws {ConfigurationError} if there is no such column
 */
export async function convertResults(
  selection: ResultSelection,
  { format, columns: names, spreadsheet }: ConvertOptions,
  write: WriteBytes,
): Promise<Converted> {
  if (format === "jsonl" && names === undefined) return copyLines(selection, write);
  const finder = new ColumnFinder(names);
  if (!finder.isKnown) selection.eachRecord((record) => finder.add(record));
  const { columns } = finder;
  const titles = columns.map(({ name }) => name);
  const text = new BufferedWriter(write);
  const writeText = (part: string) => text.text(part);
  let table: TableWriter;
  switch (format) {
    case "csv":
    case "tsv": {
      const { CsvWriter } = await import("./table/csv.ts");
      const delimiter = format === "csv" ? "," : "\t";
      table = new CsvWriter(titles, writeText, { delimiter, spreadsheet });
      break;
    }
    case "jsonl": {
      const { JsonLinesWriter } = await import("./table/json_lines.ts");
      table = new JsonLinesWriter(titles, writeText);
      break;
    }
    case "md": {
      const { MarkdownWriter } = await import("./table/markdown.ts");
      table = new MarkdownWriter(titles, writeText);
      break;
    }
    case "parquet": {
      const { ColumnTypes, ParquetTableWriter } = await import("./table/parquet.ts");
      const types = new ColumnTypes(columns.length);
      selection.eachRecord((record, { source }) => {
        types.add(valuesOf(columns, record, source.name));
      }, true);
      const bytes = (part: Uint8Array) => text.bytes(Buffer.from(part));
      table = new ParquetTableWriter(titles, types.list, bytes);
      break;
    }
  }
  let rows = 0;
  selection.eachRecord((record, { source }) => {
    table.row(valuesOf(columns, record, source.name));
    rows++;
  }, true);
  table.end();
  text.flush();
  return { rows, columns: titles };
}
