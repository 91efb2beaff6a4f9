/**
 * Compares paths by the file that they name.
 *
 * @module
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";

/**
 * Whether two paths name the same file, perhaps through links. Files that do not exist are compared by path; two
 * paths to one pipe or device, such as a terminal, are not the same file.
 */
export function isSameFile(a: string, b: string): boolean {
  try {
    const [first, second] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
    if (first === undefined || second === undefined) return resolve(a) === resolve(b);
    return first.isFile() && first.ino === second.ino && first.dev === second.dev;
  } catch {
    // Opening the file reports the problem in more detail.
    return resolve(a) === resolve(b);
  }
}
