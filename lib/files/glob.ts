/**
 * Expands glob patterns that the shell did not expand.
 *
 * As in a shell, `*` matches neither hidden files nor `/`, `**` matches any number of folders but does
 * not follow links to folders, and a file whose name is the pattern itself takes precedence. Parentheses
 * are literal, since `photo (1).jpg` is a common name.
 *
 * @module
 */
import { existsSync, lstatSync } from "node:fs";
import { dirname, isAbsolute, normalize } from "node:path";
import process from "node:process";
import { globSync } from "tinyglobby";

/** Whether `path` is a pattern: it contains `*`, `?`, `[…]` or `{…}`, and no file has that name. */
export function isGlob(path: string): boolean {
  return /[*?]|\[.+\]|\{.*,.*\}/.test(path) && !existsSync(path);
}

/** `pattern` in the syntax of the library, with what it must take literally escaped. */
function escaped(pattern: string): string {
  const slashed = process.platform === "win32" ? pattern.replaceAll("\\", "/") : pattern;
  // `**` alone does not match names with line breaks.
  return slashed.replace(/(^|\/)\*\*$/, "$1**/*").replace(/(?<!\\)[()]|^!/g, "\\$&");
}

/** Whether a folder on the way from the literal start of a pattern to a match is a link. */
class LinkedFolders {
  readonly #known = new Map<string, boolean>();

  /** @param base the literal start, whose own links are followed */
  constructor(base: string) {
    this.#known.set(base, false);
  }

  /** Whether the folder of `path` is a link, or inside one. */
  contain(path: string): boolean {
    const folder = dirname(path);
    if (folder === path || folder === ".") return false;
    let isLinked = this.#known.get(folder);
    if (isLinked === undefined) {
      isLinked = lstatSync(folder).isSymbolicLink() || this.contain(folder);
      this.#known.set(folder, isLinked);
    }
    return isLinked;
  }
}

/** The folders at the start of a pattern before the first one that is not literal. */
function literalStart(pattern: string): string {
  const folders = pattern.split("/").slice(0, -1);
  const end = folders.findIndex((folder) => /[*?[{]/.test(folder));
  return normalize(folders.slice(0, end < 0 ? undefined : end).join("/") || ".");
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
  const found = globSync(escaped(pattern), {
    absolute: isAbsolute(pattern),
    dot: false,
    expandDirectories: false,
    // Otherwise links to files would be left out as well.
    followSymbolicLinks: true,
  });
  if (!pattern.includes("**")) return sortPaths(found);
  const linked = new LinkedFolders(literalStart(pattern));
  return sortPaths(found.filter((path) => !linked.contain(path)));
}
