/**
 * Lists the files of a batch in which each file is a record, and tells such a batch from one whose files
 * contain records.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, extname, join, normalize, resolve } from "node:path";
import { sniff } from "../chat/media_type.ts";
import { ConfigurationError, InvalidInputError } from "../errors.ts";
import { inCommand } from "../files/foreign_kind.ts";
import { expandGlob, isGlob, sortPaths } from "../files/glob.ts";
import { fileReason } from "../files/reasons.ts";

/** Names of files that contain records. */
const DATA_FILE = /\.(jsonl|ndjson|json|csv|tsv|parquet|gz|zst)$/i;

/** Bytes that are read to recognize a file. */
const HEAD = 64;

/** The names in a folder that are neither hidden nor folders. */
function filesIn(folder: string): string[] {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    throw new InvalidInputError(`cannot read the folder ${folder}: ${fileReason(cause)}`, {
      cause,
    });
  }
  return entries.filter((entry) => {
    if (entry.name.startsWith(".") || entry.isDirectory()) return false;
    if (!entry.isSymbolicLink()) return true;
    return statSync(join(folder, entry.name), { throwIfNoEntry: false })?.isDirectory() !== true;
  }).map(({ name }) => name);
}

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
  if (DATA_FILE.test(path)) return true;
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

/** Whether all files that match have the extension of files that contain records. */
function matchesData(pattern: string): boolean {
  const extension = /\.[\w.]+$/.exec(pattern)?.[0];
  if (extension !== undefined) return DATA_FILE.test(extension);
  const files = expandGlob(pattern);
  return files.length > 0 && files.every((path) => DATA_FILE.test(path));
}

/** Whether the records come from inside what `path` refers to. */
function isData(path: string): boolean {
  if (path === "-") return true;
  if (isGlob(path)) return matchesData(path);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return containsRecords(path);
  }
  const names = filesIn(path);
  return names.length > 0 && names.every((name) => DATA_FILE.test(name));
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

/** Whether `path` is the result file or one that belongs to it, such as its lock. */
function belongsTo(output: string | undefined, path: string): boolean {
  if (output === undefined) return false;
  const full = resolve(path);
  return full === output || full.startsWith(`${output}.`);
}

function listOne(path: string): string[] {
  if (isGlob(path)) {
    const files = expandGlob(path);
    if (files.length > 0) return files;
    throw new InvalidInputError(`no file matches ${path}`, {
      hint: "* matches neither hidden files nor files in subfolders; ** matches any folders. " +
        "Upper and lower case differ.",
    });
  }
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new InvalidInputError(`the input file ${path} does not exist`);
  if (!stats.isDirectory()) return [path];
  const names = filesIn(path);
  if (names.length > 0) return names.map((name) => join(path, name));
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
  const result = output === undefined ? undefined : resolve(output);
  const files = paths.flatMap((path) =>
    listOne(path).filter((file) => file === path || !belongsTo(result, file))
  );
  const normalized = files.map((file) => normalize(file).replaceAll("\\", "/"));
  return sortPaths([...new Set(normalized)]);
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return basename(path);
}
