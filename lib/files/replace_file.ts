/**
 * Writes files atomically: a reader sees the old text or the new one.
 *
 * @module
 */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { ConfigurationError } from "../errors.ts";
import { fileReason } from "./reasons.ts";

/** The file's mode; `undefined` if it does not exist. */
function modeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mode;
}

/**
 * Replaces the file at `path` atomically, or creates it. If that fails, the old file is unchanged.
 *
 * @throws a file system error
 */
export function replaceFile(path: string, text: string, mode: number): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    // A file of that name was left behind by a dead process.
    rmSync(temporary, { force: true });
    const fd = openSync(temporary, "wx", mode);
    try {
      // The umask may have removed permissions that the old file had.
      fchmodSync(fd, mode);
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Writes `text` to `path` atomically. A link stays a link. New files and folders are private to the
 * owner; an existing file keeps its permissions unless it is `secret`.
 *
 * @param secret whether only the owner may read the file
 * @throws {ConfigurationError} if it cannot be written; then the old file is unchanged
 */
export function writeUserFile(path: string, text: string, secret: boolean): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const old = modeOf(path);
    const target = old === undefined ? path : realpathSync(path);
    replaceFile(target, text, secret || old === undefined ? 0o600 : old & 0o777);
  } catch (cause) {
    const isFile = ["EEXIST", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "");
    throw new ConfigurationError(`cannot write ${path}: ${fileReason(cause)}`, {
      cause,
      hint: isFile
        ? `${dirname(path)} must be a folder, but a file is in the way.`
        : "Check the permissions of the file and its folder.",
    });
  }
}
