/**
 * Expands folders and patterns to the data files that they stand for.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { InvalidInputError } from "../errors.ts";
import { isDataFile } from "./input_format.ts";
import { isFolder, standsForFiles } from "./stands_for_files.ts";

/**
 * Replaces folders and patterns in `paths` by their files.
 *
 * @param output the result file, which is left out together with the files stored with it
 * @throws {InvalidInputError} if a pattern matches nothing, or matches files that contain no records
 */
export async function expandPaths(paths: readonly string[], output?: string): Promise<string[]> {
  const expanded: string[] = [];
  for (const path of paths) {
    if (standsForFiles(path)) {
      const { filesOf } = await import("./path_files.ts");
      const files = filesOf(path, output);
      await checkFiles(path, files);
      expanded.push(...files);
    } else {
      expanded.push(path);
    }
  }
  return expanded;
}

/** Whether all `paths` are data files by their names, or folders and patterns that stand for such files. */
export async function areDataFiles(paths: readonly string[], output?: string): Promise<boolean> {
  for (const path of paths) {
    if (path === "-") continue;
    if (standsForFiles(path)) {
      const { filesOf } = await import("./path_files.ts");
      const files = filesOf(path, output);
      if (files.length === 0 || !files.every(isDataFile)) return false;
    } else if (!isDataFile(path)) return false;
  }
  return true;
}

async function checkFiles(path: string, files: readonly string[]): Promise<void> {
  if (files.length === 0 && isFolder(path)) {
    throw new InvalidInputError(`the folder ${path} has no files`, {
      hint: `To include its subfolders, use a pattern such as '${join(path, "**/*.jsonl")}'.`,
    });
  }
  if (files.length === 0) throw (await import("../files/glob.ts")).noMatch(path);
  const other = files.find((file) => !isDataFile(file));
  if (other === undefined) return;
  const example = join(isFolder(path) ? path : dirname(other), "*.jsonl");
  throw new InvalidInputError(`${path}: ${other} is not a data file`, {
    hint: "Data files end in .jsonl, .json, .csv, .tsv or .parquet, also with .gz or .zst. " +
      `Use a pattern that matches only these: '${example}'`,
  });
}
