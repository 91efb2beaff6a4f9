/**
 * The place of a result file: whether it can be one, and what to say when it cannot.
 *
 * @module
 */
import { readlinkSync, realpathSync, type Stats } from "node:fs";
import { dirname, resolve } from "node:path";
import { JournalError } from "../../errors.ts";
import { type FileLock, tryLock } from "../../runtime/file_lock.ts";

/** The file that a link stands for, so that replacing it does not replace the link. */
export function resolvePath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    try {
      return resolve(dirname(path), readlinkSync(path));
    } catch {
      return resolve(path);
    }
  }
}

/** Throws when what is at `path` cannot be a result file. */
export function checkKind(existing: Stats | undefined, path: string): void {
  if (existing === undefined) return;
  if (existing.isDirectory()) {
    throw new JournalError(`the output ${path} is a folder, not a file`);
  }
  if (!existing.isFile()) {
    throw new JournalError(`the output ${path} is not a regular file`, {
      hint: "The result file is read again to go on, so it cannot be a pipe or a device.",
    });
  }
  if (existing.nlink > 1) {
    throw new JournalError(`the output ${path} has more than one name (hard links)`, {
      hint: "A second process could write it under the other name. Copy it first.",
    });
  }
}

/** Takes the lock of the result file `target`; `undefined` when another process holds it. */
export async function lockOf(target: string): Promise<FileLock | undefined> {
  const path = `${target}.lock`;
  try {
    return await tryLock(path);
  } catch (cause) {
    throw new JournalError(`cannot make the lock file ${path} beside the output`, {
      cause,
      hint: "The folder of the output must be writable, and have room.",
    });
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error) return String(error.code);
  // Deno knows these by their words only.
  if (/file too large/i.test(error.message)) return "EFBIG";
  return /quota/i.test(error.message) ? "EDQUOT" : "";
}

/** What a file system error means for the output file, and what to do. */
export function fileProblem(error: unknown, path: string): JournalError {
  const code = codeOf(error);
  const folder = dirname(resolvePath(path));
  switch (code) {
    case "ENAMETOOLONG":
      return new JournalError(`the name of the output file is too long`, { cause: error });
    case "ENOENT":
      return new JournalError(`the folder ${folder} of the output file does not exist`, {
        cause: error,
        hint: `Make it first: mkdir -p ${folder}`,
      });
    case "EISDIR":
      return new JournalError(`the output ${path} is a folder, not a file`, { cause: error });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new JournalError(`no permission to write ${path}`, {
        cause: error,
        hint: "Choose another output file, or change the permissions.",
      });
    case "ENOSPC":
    case "EDQUOT":
      return new JournalError(`the disk is full: cannot write ${path}`, {
        cause: error,
        hint: "Nothing written is lost. Make room and run the same command again.",
      });
    case "EFBIG":
      return new JournalError(`${path} would be larger than a file may be`, {
        cause: error,
        hint:
          "Nothing written is lost. Raise the limit (ulimit -f) and run the same command again.",
      });
    default:
      return new JournalError(
        `cannot write ${path}: ${error instanceof Error ? error.message : error}`,
        { cause: error },
      );
  }
}
