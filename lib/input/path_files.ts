/**
 * Lists the files that a folder or a pattern stands for.
 *
 * @module
 */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { InvalidInputError } from "../errors.ts";
import { expandGlob, sortPaths } from "../files/glob.ts";
import { fileReason } from "../files/reasons.ts";
import { isFolder } from "./stands_for_files.ts";

/** The files in a folder, sorted, without hidden ones and subfolders. */
function filesIn(folder: string): string[] {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    throw new InvalidInputError(`cannot read the folder ${folder}: ${fileReason(cause)}`, {
      cause,
    });
  }
  const files = entries.filter((entry) => {
    if (entry.name.startsWith(".") || entry.isDirectory()) return false;
    return !entry.isSymbolicLink() || !isFolder(join(folder, entry.name));
  });
  return sortPaths(files.map(({ name }) => join(folder, name)));
}

/** The names of files that a batch stores next to a result file. */
const COMPANION = /\.(?:events|lock|state)$/;

/** Whether a batch stored `file` next to some result file. */
function isCompanion(file: string): boolean {
  const result = file.replace(COMPANION, "");
  return result !== file && result.endsWith(".jsonl") && existsSync(result);
}

/** Whether `file` is the result file, whose absolute path is given, or stored with it, such as its lock. */
function belongsTo(output: string, file: string): boolean {
  const path = resolve(file);
  return path === output || path.startsWith(`${output}.`);
}

/**
 * The files that a folder or pattern stands for, sorted by path.
 *
 * Leaves out what batches store next to result files, which may be the input of a further batch.
 *
 * @param output the result file of the batch, which is left out as well
 * @throws {InvalidInputError} if the folder cannot be read
 */
export function filesOf(path: string, output?: string): string[] {
  const files = (isFolder(path) ? filesIn(path) : expandGlob(path))
    .filter((file) => !isCompanion(file));
  if (output === undefined) return files;
  const result = resolve(output);
  return files.filter((file) => !belongsTo(result, file));
}
