/**
 * Lists the files of a batch in which each file is a record, and tells such a batch from one whose files
 * contain records.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { sniff } from "../chat/media_type.ts";
import { ConfigurationError, InvalidInputError } from "../errors.ts";
import { inCommand } from "../files/foreign_kind.ts";
import { noMatch, sortPaths } from "../files/glob.ts";
import { isGlob } from "../files/is_glob.ts";
import { isDataFile } from "./input_format.ts";
import { filesOf } from "./path_files.ts";
import { isFolder, standsForFiles } from "./stands_for_files.ts";

/** Bytes that are read to recognize a file. */
const HEAD = 64;

function headOf(path: string): Uint8Array {
  const fd = openSync(path, "r");
  try {
    const head = Buffer.alloc(HEAD);
    return head.subarray(0, readSync(fd, head, 0, HEAD, 0));
  } finally {
    closeSync(fd);
  }
}

/** Whether a file that was named itself, rather than by a folder or a pattern, contains records. */
function containsRecords(path: string): boolean {
  if (isDataFile(path)) return true;
  let head: Uint8Array;
  try {
    // A pipe, as of `<(…)`, contains records; reading its start would remove it.
    if (!statSync(path).isFile()) return true;
    head = headOf(path);
  } catch {
    // Opening it reports the problem.
    return true;
  }
  if (sniff(head) !== undefined) return false;
  const extension = extname(path).toLowerCase();
  // A prompt a line.
  if (extension === ".txt" || extension === "") return true;
  return /^(\xef\xbb\xbf)?\s*[{[]/.test(Buffer.from(head).toString("latin1"));
}

/** Whether the records come from inside what `path` refers to. */
function isData(path: string): boolean {
  if (path === "-") return true;
  if (!standsForFiles(path)) return containsRecords(path);
  // Without matches, the pattern still says which files were meant.
  const extension = /\.[\w.]+$/.exec(path)?.[0];
  if (extension !== undefined && isGlob(path)) return isDataFile(`*${extension}`);
  const files = filesOf(path);
  return files.length > 0 && files.every(isDataFile);
}

/**
 * Whether each file that `paths` refer to is a record, rather than a file that contains records. This is
 * so for folders and patterns, unless all of their files have names of data files (`.jsonl`, `.csv`, …),
 * and for single files that are images, PDFs, audio or documents.
 *
 * @throws {ConfigurationError} if `paths` mix both
 */
export function isFileRecordInput(paths: readonly string[]): boolean {
  const data = paths.map(isData);
  if (!data.includes(false)) return false;
  const mixed = data.indexOf(true);
  if (mixed < 0) return true;
  throw new ConfigurationError(
    `${paths[mixed]} contains records, but ${paths[data.indexOf(false)]} is a record itself`,
    { hint: "Use separate batches, or send each file as a record: --input-format files" },
  );
}

function listOne(path: string, output: string | undefined): string[] {
  if (!standsForFiles(path)) {
    if (existsSync(path)) return [path];
    throw new InvalidInputError(`the input file ${path} does not exist`);
  }
  const files = filesOf(path, output);
  if (files.length > 0) return files;
  if (!isFolder(path)) throw noMatch(path);
  throw new InvalidInputError(`the folder ${path} has no files`, {
    hint: `To include its subfolders, use a pattern: ${inCommand(join(path, "**"))}`,
  });
}

/**
 * The files that `paths` refer to, each once, sorted by path. Folders stand for their files, without
 * hidden ones and subfolders.
 *
 * @param output the result file of the batch, which is left out if it is in a folder or matches
 * @throws {InvalidInputError} if a path does not exist, or nothing matches a pattern
 */
export function listFiles(paths: readonly string[], output?: string): string[] {
  const files = paths.flatMap((path) => listOne(path, output));
  const normalized = files.map((file) => normalize(file).replaceAll("\\", "/"));
  return sortPaths([...new Set(normalized)]);
}
