/**
 * Opens the input of a batch as a file that can be read twice, since it is checked as a whole before
 * anything is sent. Pipes are copied to a temporary file, and tables are converted to JSONL in one.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { closeSync, createReadStream, fstatSync, openSync, readSync } from "node:fs";
import { extname } from "node:path";
import process from "node:process";
import { loadFingerprint } from "../batch/journal/fingerprint.ts";
import { ConfigurationError, InvalidInputError } from "../errors.ts";
import { fileReason } from "../files/reasons.ts";
import { HEAD_SIZE, jsonlHint, refuseForeign } from "./foreign_format.ts";
import { InputSnapshot } from "./input_snapshot.ts";
import type { InputFile } from "./input_source.ts";
import type { Selection } from "./selection.ts";
import { TemporaryFile } from "../files/temporary_file.ts";

/** The format of an input. */
export type InputFormat = "jsonl" | "csv" | "tsv" | "files";

/** How to open an input. */
export interface InputOptions extends Selection {
  /** Its format. @default by the file's extension, else `jsonl` */
  inputFormat?: InputFormat;
  /** The delimiter of a table's cells. @default detected in the first line; a tab in TSV */
  delimiter?: string;
  /** Whether quotes enclose cells of a table. @default true */
  quotes?: boolean;
  /** The prompt of an input whose records are files; see `openFileRecords`. */
  template?: string;
  /** The system prompt of such an input. */
  system?: string;
  /** The result file, which is no record of such an input. */
  output?: string;
}

/** The hint for an input that cannot be used. */
export const INPUT_HINT =
  'An input has one JSON object per line, such as {"q": "What is Python?"}.';

function inputProblem(name: string, error: unknown): InvalidInputError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ENOENT":
      return new InvalidInputError(`the input file ${name} does not exist`, {
        cause: error,
        hint: INPUT_HINT,
      });
    case "EACCES":
    case "EPERM":
      return new InvalidInputError(`no permission to read ${name}`, {
        cause: error,
        hint: "Change its permissions, or use another file.",
      });
    default:
      return new InvalidInputError(`cannot read ${name}: ${fileReason(error)}`, {
        cause: error,
        hint: INPUT_HINT,
      });
  }
}

/** Copies a stream to a temporary file. */
async function copyStream(name: string, stream: NodeJS.ReadableStream): Promise<InputFile> {
  const file = new TemporaryFile(name);
  try {
    for await (const chunk of stream) file.write(Buffer.from(chunk));
  } catch (error) {
    file.close();
    throw error instanceof InvalidInputError ? error : inputProblem(name, error);
  }
  return { name, fd: file.fd, close: () => file.close() };
}

async function openAny(path: string | undefined): Promise<InputFile> {
  if (path === undefined || path === "-") return await copyStream("standard input", process.stdin);
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw inputProblem(path, error);
  }
  const stats = fstatSync(fd);
  if (stats.isFile()) {
    await loadFingerprint();
    const snapshot = new InputSnapshot(fd, path);
    return {
      name: path,
      fd,
      read: snapshot.read,
      hasGrown: () => snapshot.hasGrown(),
      close: () => closeSync(fd),
    };
  }
  if (stats.isDirectory()) {
    closeSync(fd);
    throw new InvalidInputError(`the input ${path} is a folder, not a file`, {
      hint: "Use one JSONL file, or pipe several: cat folder/*.jsonl | flexllm batch -o …",
    });
  }
  return await copyStream(path, createReadStream(path, { fd }));
}

function formatOf(path: string | undefined, { inputFormat }: InputOptions): InputFormat {
  if (inputFormat !== undefined) return inputFormat;
  const extension = extname(path ?? "").slice(1).toLowerCase();
  return extension === "csv" || extension === "tsv" ? extension : "jsonl";
}

/**
 * Opens the file at `path`, or standard input if it is `undefined` or `-`.
 *
 * @throws {InvalidInputError} if it does not exist, cannot be read, is a folder, or has another format
 * @throws {ConfigurationError} if the options of tables are used for JSONL
 */
export async function openInput(
  path: string | undefined,
  options: InputOptions = {},
): Promise<InputFile> {
  const format = formatOf(path, options);
  const { delimiter, quotes } = options;
  if (format === "jsonl" && (delimiter !== undefined || quotes === false)) {
    throw new ConfigurationError("--delimiter and --no-quotes are for tables only", {
      hint: "If the input is a table, add --input-format csv or tsv.",
    });
  }
  if (path !== undefined && format !== "csv" && format !== "tsv") {
    const { isFileRecordInput, openFileRecords } = await import("./file_records.ts");
    if (format === "files" || (options.inputFormat === undefined && isFileRecordInput([path]))) {
      return await openFileRecords([path], options);
    }
  }
  const file = await openAny(path);
  try {
    const head = Buffer.allocUnsafe(HEAD_SIZE);
    const start = head.subarray(0, readSync(file.fd, head, 0, HEAD_SIZE, 0));
    refuseForeign(start, file.name);
    if (format === "jsonl" || format === "files") {
      return { ...file, hint: jsonlHint(start, file.name) };
    }
    const { readTable } = await import("./table.ts");
    return await readTable(file, start, { format, delimiter, quotes });
  } catch (error) {
    file.close();
    throw error;
  }
}
