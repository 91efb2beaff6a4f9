/**
 * Recognizes glob patterns, without loading what expands them.
 *
 * @module
 */
import { existsSync } from "node:fs";

/** Whether `path` is a pattern: it contains `*`, `?`, `[…]` or `{…}`, and no file has that name. */
export function isGlob(path: string): boolean {
  return /[*?]|\[.+\]|\{.*,.*\}/.test(path) && !existsSync(path);
}
