/**
 * Expands glob patterns that the shell did not expand.
 *
 * As in a shell, `*` matches neither hidden files nor `/`, `**` matches any number of folders but does
 * not follow links to folders, and a file whose name is the pattern itself takes precedence. Parentheses
 * are literal, since `photo (1).jpg` is a common name.
 *
 * @module
 */
import { existsSync, statSync } from "node:fs";
import process from "node:process";
import { globSync } from "tinyglobby";

/** Whether `path` is a pattern: it contains `*`, `?`, `[…]` or `{…}`, and no file has that name. */
export function isGlob(path: string): boolean {
  return /[*?]|\[.+\]|\{.*,.*\}/.test(path) && !existsSync(path);
}

/** `pattern` in the syntax of the library, with what it must take literally escaped. */
function escaped(pattern: string): string {
  const slashed = process.platform === "win32" ? pattern.replaceAll("\\", "/") : pattern;
  return slashed.replace(/(?<!\\)[()]|^!/g, "\\$&");
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // A broken link or an unreadable file: reading it reports the problem.
    return false;
  }
}

/** Compares by UTF-16 code units, so that the order is the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Sorts paths in place, the same on every machine. */
export function sortPaths(paths: string[]): string[] {
  return paths.sort(compare);
}

/** The files that match `pattern`, sorted by path; empty if there are none. */
export function expandGlob(pattern: string): string[] {
  const options = { dot: false, expandDirectories: false, followSymbolicLinks: false };
  const files = globSync(escaped(pattern), options);
  // The library leaves out links to files unless it includes folders, which end with a slash.
  const regular = new Set(files);
  const links = globSync(escaped(pattern), { ...options, onlyFiles: false })
    .filter((path) => !path.endsWith("/") && !regular.has(path) && !isFolder(path));
  return sortPaths([...files, ...links]);
}
