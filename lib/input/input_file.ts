/**
 * Opens the input of a batch: one or more files that can be read twice, since the input is checked as a
 * whole before anything is sent. Whatever is not JSONL or text is converted to JSONL in a temporary file.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { fstatSync, readSync } from "node:fs";
import { ConfigurationError } from "../errors.ts";
import { compressionOf, decompress } from "./decompress.ts";
import { HEAD_SIZE } from "./foreign_format.ts";
import { detectFormat, formatOfName, type InputFormat } from "./input_format.ts";
import { areDataFiles, expandPaths } from "./input_paths.ts";
import type { BatchSource, InputFile } from "./input_source.ts";
import { openFile } from "./open_file.ts";
import type { Selection } from "./selection.ts";

/** How to open an input. */
export interface InputOptions extends Selection {
  /** Its format. @default by each file's extension and content, else `jsonl` */
  inputFormat?: InputFormat;
  /** The delimiter of a table's cells. @default detected in the first line; a tab in TSV */
  delimiter?: string;
  /** Whether quotes enclose cells of a table. @default true */
  quotes?: boolean;
  /** The prompt of an input whose records are files; see `openFileRecords`. */
  template?: string;
  /** The system prompt of such an input. */
  system?: string;
  /** The result file, which is left out if a folder or pattern matches it. */
  output?: string;
}

function headOf({ fd }: InputFile): Buffer {
  const head = Buffer.allocUnsafe(HEAD_SIZE);
  return head.subarray(0, readSync(fd, head, 0, HEAD_SIZE, 0));
}

/** Decompresses and converts an open file, and closes it if another one replaces it. */
async function convert(
  file: InputFile,
  { inputFormat, delimiter, quotes }: InputOptions,
  replace: (file: InputFile) => void,
): Promise<void> {
  let head = headOf(file);
  const compression = compressionOf(head);
  if (compression !== undefined) {
    file = await decompress(file, compression);
    replace(file);
    head = headOf(file);
  }
  const named = formatOfName(file.name);
  const { format, note, hint } = detectFormat(file.name, head, named, inputFormat);
  if (format === "csv" || format === "tsv") {
    const { readTable } = await import("./table.ts");
    replace(await readTable(file, head, { format, delimiter, quotes }));
    return;
  }
  if (delimiter !== undefined || quotes === false) {
    throw new ConfigurationError("--delimiter and --no-quotes are for tables only", {
      hint: "If the input is a table, add --input-format csv or tsv.",
    });
  }
  if (format === "jsonl") file = { ...file, hint };
  else if (format === "text") file = { ...file, content: "text" };
  else if (format === "json") {
    const { readJsonDocument } = await import("./json_document.ts");
    file = readJsonDocument(file, head);
  } else {
    const { readParquet } = await import("./parquet.ts");
    file = await readParquet(file, fstatSync(file.fd).size);
  }
  replace(note === undefined ? file : { ...file, notes: [note, ...file.notes ?? []] });
}

async function openConverted(path: string, options: InputOptions): Promise<InputFile> {
  let file = await openFile(path);
  try {
    await convert(file, options, (other) => file = other);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Joins open files to one input. */
function sourceOf(files: readonly InputFile[]): BatchSource {
  const names = files.map(({ name }) => name);
  return {
    name: names.length > 3 ? `${names[0]} and ${names.length - 1} more files` : names.join(", "),
    files,
    isFiles: files[0].isFiles,
    hasGrown: () => files.some((file) => file.hasGrown?.()),
    close: () => files.forEach((file) => file.close()),
  };
}

/**
 * Opens the files at `paths`: paths, `-` for standard input, folders and patterns. Without any, opens
 * standard input.
 *
 * @throws {InvalidInputError} if one does not exist, cannot be read, is damaged, or has another format
 * @throws {ConfigurationError} if the options of tables are used for other formats
 */
export async function openInput(
  paths: string | readonly string[] | undefined,
  options: InputOptions = {},
): Promise<BatchSource> {
  const given = paths === undefined || paths.length === 0 ? ["-"] : [paths].flat();
  const { inputFormat } = options;
  if (paths !== undefined && (inputFormat === undefined || inputFormat === "files")) {
    const { isFileRecordInput, openFileRecords } = await import("./file_records.ts");
    const isData = inputFormat === undefined && await areDataFiles(given, options.output);
    if (inputFormat === "files" || !isData && isFileRecordInput(given)) {
      return sourceOf([await openFileRecords(given, options)]);
    }
  }
  const expanded = await expandPaths(given, options.output);
  const files: InputFile[] = [];
  try {
    for (const path of expanded) files.push(await openConverted(path, options));
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
  return sourceOf(files);
}
