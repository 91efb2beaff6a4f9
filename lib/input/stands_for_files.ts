/**
 * Tells folders and patterns, which stand for several files, from paths of single files.
 *
 * @module
 */
import { statSync } from "node:fs";
import { isGlob } from "../files/is_glob.ts";

/** Whether `path` is a folder, or a link to one. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Whether `path` is a folder or a pattern, so that it stands for several files. */
export function standsForFiles(path: string): boolean {
  return path !== "-" && (isFolder(path) || isGlob(path));
}
