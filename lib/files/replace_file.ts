/**
 * Replaces a file of the user at once: whoever reads it sees the old text or the new one.
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

/** The permissions that the file has, `undefined` when there is none. */
function modeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mode;
}

function replace(path: string, text: string, mode: number): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    // A file of that name is a dead process's.
    rmSync(temporary, { force: true });
    const fd = openSync(temporary, "wx", mode);
    try {
      // The mask of the process may have taken rights away that the old file had.
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
 * Writes `text` to `path`, atomically. A link stays a link; a folder that is not there is made for the
 * owner alone, as a new file is; an old file keeps its permissions unless it is `secret`.
 *
 * @param secret whether nobody but the owner may read it
 * @throws {ConfigurationError} when it cannot be written; the old file is untouched then
 */
export function writeUserFile(path: string, text: string, secret: boolean): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const old = modeOf(path);
    const target = old === undefined ? path : realpathSync(path);
    replace(target, text, secret || old === undefined ? 0o600 : old & 0o777);
  } catch (cause) {
    const isFile = ["EEXIST", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "");
    throw new ConfigurationError(`cannot write ${path}: ${fileReason(cause)}`, {
      cause,
      hint: isFile
        ? `${dirname(path)} must be a folder; there is a file in its way.`
        : "Check the permissions of the file and its folder.",
    });
  }
}
