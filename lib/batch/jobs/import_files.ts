/**
 * Reads the result files that the user brings back for exported rows, line by line.
 *
 * @module
 */
import { closeSync, openSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { RowResult } from "../../batch_api/batch_api.ts";
import { InvalidInputError } from "../../errors.ts";
import { readLinesSync } from "../../files/lines.ts";
import { fileReason } from "../../files/reasons.ts";
import { decodeImportedLine, type ImportedLine } from "./import_row.ts";

/** A line of a result file. */
export interface ImportedResult {
  /** Where it is, such as `results.jsonl:3`. */
  location: string;
  /** The result; `undefined` if the line has none. */
  result?: RowResult;
  /** Why it has none. */
  problem?: string;
}

/** A result file. */
interface ImportFile {
  path: string;
  /** Whether the user named it, and not only its folder. */
  isNamed: boolean;
}

function unreadable(path: string, cause: unknown): InvalidInputError {
  return new InvalidInputError(`cannot read ${path}: ${fileReason(cause)}`, {
    cause,
    hint: "--import needs result files, or folders that contain them.",
  });
}

function filesIn(folder: string): ImportFile[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".jsonl")).sort();
  if (names.length === 0) {
    throw new InvalidInputError(`the folder ${folder} has no .jsonl files`, {
      hint: "Write the results there first: vllm run-batch -i INPUT -o RESULTS --model MODEL",
    });
  }
  return names.map((name) => ({ path: join(folder, name), isNamed: false }));
}

/**
 * The result files at these paths: files, and folders with `.jsonl` files.
 *
 * @throws {InvalidInputError} if a path does not exist, or a folder has no such files
 */
function listImportFiles(paths: readonly string[]): ImportFile[] {
  return paths.flatMap((path) => {
    try {
      return statSync(path).isDirectory() ? filesIn(path) : [{ path, isNamed: true }];
    } catch (error) {
      throw error instanceof InvalidInputError ? error : unreadable(path, error);
    }
  });
}

function decodeLine(text: string, parse: (text: string) => unknown): ImportedLine {
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    return { kind: "problem", problem: "it is not JSON" };
  }
  return decodeImportedLine(value);
}

/** Refuses a file without any result, and one that the user mistakes for results. */
function checkFirstLine(line: ImportedLine, { path }: ImportFile, number: number): void {
  if (line.kind === "result") return;
  const isRequest = line.kind === "request";
  throw new InvalidInputError(
    isRequest
      ? `${path} has requests, not results`
      : `${path}:${number} is not a result of a batch: ${line.problem}`,
    {
      hint: isRequest
        ? `Run it first: vllm run-batch -i ${path} -o RESULTS --model MODEL. Then import RESULTS.`
        : 'Expected OpenAI\'s batch format: {"custom_id", "response": {"status_code", "body"}, ' +
          '"error"} on each line.',
    },
  );
}

function* readFile(
  file: ImportFile,
  parse: (text: string) => unknown,
): Generator<ImportedResult, void, void> {
  let fd: number;
  try {
    fd = openSync(file.path, "r");
  } catch (error) {
    throw unreadable(file.path, error);
  }
  try {
    let isFirst = true;
    for (const { text, number, ended } of readLinesSync(fd)) {
      const json = number === 1 ? text.replace(/^\ufeff/, "") : text;
      if (json.trim() === "") continue;
      const line = decodeLine(json, parse);
      // The file is still being written, or its writer was killed.
      if (!ended && line.kind === "problem") return;
      if (isFirst) {
        // A folder may have the exported files next to their results.
        if (line.kind === "request" && !file.isNamed) return;
        checkFirstLine(line, file, number);
      }
      isFirst = false;
      const location = `${file.path}:${number}`;
      if (line.kind === "result") yield { location, result: line.result };
      else {
        const problem = line.kind === "request" ? "it is a request" : line.problem;
        yield { location, problem };
      }
    }
  } finally {
    closeSync(fd);
  }
}

/**
 * Reads all lines of the result files at `paths`. An incomplete last line is left out: the file may still be
 * written.
 *
 * @param parse parses JSON
 * @throws {InvalidInputError} if a path does not exist, or a file has no results
 */
export function* readResultFiles(
  paths: readonly string[],
  parse: (text: string) => unknown,
): Generator<ImportedResult, void, void> {
  for (const file of listImportFiles(paths)) yield* readFile(file, parse);
}
