/**
 * Lists the files that a folder or a pattern stands for.
 *
 * @module
 */
import { readdirSync } from "node:fs";
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

/** Whether `file` is the result file, whose absolute path is given, or stored with it, such as its lock. */
function belongsTo(output: string, file: string): boolean {
  const path = resolve(file);
  return path === output || path.startsWith(`${output}.`);
}

/**
 * The files that a folder or pattern stands for, sorted by path.
 *
 * @param output the result file of the batch, which is left out together with the files stored with it
 * @throws {InvalidInputError} if the folder cannot be read
 */
export function filesOf(path: string, output?: string): string[] {
  const files = isFolder(path) ? filesIn(path) : expandGlob(path);
  if (output === undefined) return files;
  const result = resolve(output);
  return files.filter((file) => !belongsTo(result, file));
}
