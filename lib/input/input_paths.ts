/**
 * Expands folders and patterns to the data files that they stand for.
 *
 * @module
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { InvalidInputError } from "../errors.ts";
import { formatOfName } from "./input_format.ts";

/** Whether a file's name says that it contains records, such as `a.jsonl.gz` or `b.parquet`. */
export function isDataFile(path: string): boolean {
  const format = formatOfName(path);
  // Text files in a folder are usually documents, each of which is one record.
  return format !== undefined && format !== "text";
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Whether `path` is a pattern. A file that exists is none, whatever its name is. */
function isPattern(path: string): boolean {
  return /[*?[\]{}]/.test(path) && !existsSync(path);
}

/** Whether `path` is a folder or a pattern, so that it stands for several files. */
export function standsForFiles(path: string): boolean {
  return path !== "-" && (isFolder(path) || isPattern(path));
}

/** The files that a folder or pattern stands for, sorted. Hidden files and links to folders are left out. */
async function filesOf(path: string): Promise<string[]> {
  let files: string[];
  if (isFolder(path)) {
    files = readdirSync(path, { withFileTypes: true })
      .filter((entry) => !entry.name.startsWith(".") && !entry.isDirectory())
      .filter((entry) => !entry.isSymbolicLink() || !isFolder(join(path, entry.name)))
      .map(({ name }) => join(path, name));
  } else {
    const { expandGlob } = await import("../files/glob.ts");
    files = expandGlob(path).map((file) => join(file));
  }
  return files.sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
}

/** Whether `file` is the result file or one that is kept with it, such as its lock. */
function belongsTo(output: string | undefined, file: string): boolean {
  const own = output === undefined ? undefined : resolve(output);
  return own !== undefined && (resolve(file) === own || resolve(file).startsWith(`${own}.`));
}

/**
 * Replaces folders and patterns in `paths` by their files.
 *
 * @param output the result file, which is left out together with its companions
 * @throws {InvalidInputError} if a pattern matches nothing, or matches files that contain no records
 */
export async function expandPaths(paths: readonly string[], output?: string): Promise<string[]> {
  const expanded: string[] = [];
  for (const path of paths) {
    if (standsForFiles(path)) {
      const files = (await filesOf(path)).filter((file) => !belongsTo(output, file));
      checkFiles(path, files);
      expanded.push(...files);
    } else {
      expanded.push(path);
    }
  }
  return expanded;
}

/** Whether all `paths` are folders and patterns that stand for nothing but data files. */
export async function areDataFiles(paths: readonly string[], output?: string): Promise<boolean> {
  for (const path of paths) {
    if (!standsForFiles(path)) return false;
    const files = (await filesOf(path)).filter((file) => !belongsTo(output, file));
    if (files.length === 0 || !files.every(isDataFile)) return false;
  }
  return true;
}

function checkFiles(path: string, files: readonly string[]): void {
  if (files.length === 0) {
    const what = isFolder(path) ? `the folder ${path} has no files` : `no file matches ${path}`;
    throw new InvalidInputError(what, {
      hint: "Patterns are relative to the current folder: 'shards/*.jsonl', 'data/**/*.csv'.",
    });
  }
  const other = files.find((file) => !isDataFile(file));
  if (other === undefined) return;
  const example = join(isFolder(path) ? path : dirname(other), "*.jsonl");
  throw new InvalidInputError(`${path}: ${other} is not a data file`, {
    hint: "Data files end in .jsonl, .json, .csv, .tsv or .parquet, also with .gz or .zst. " +
      `Use a pattern that matches only these: '${example}'`,
  });
}
