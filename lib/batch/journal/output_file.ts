/**
 * Checks whether a path can be a result file, and explains file system errors about it.
 *
 * @module
 */
import { readlinkSync, realpathSync, type Stats } from "node:fs";
import { dirname, resolve } from "node:path";
import { JournalError } from "../../errors.ts";

/** The absolute path with links resolved, so that replacing the file does not replace a link to it. */
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

/**
 * Checks the kind of the file at `path`.
 *
 * @throws {JournalError} if it cannot be a result file: a folder, a pipe, a file with hard links
 */
export function checkKind(stats: Stats | undefined, path: string): void {
  if (stats === undefined) return;
  if (stats.isDirectory()) {
    throw new JournalError(`the output ${path} is a folder, not a file`);
  }
  if (!stats.isFile()) {
    throw new JournalError(`the output ${path} is not a regular file`, {
      hint: "A batch reads its result file to resume, so it cannot be a pipe or a device.",
    });
  }
  if (stats.nlink > 1) {
    throw new JournalError(`the output ${path} has more than one name (hard links)`, {
      hint: "A second process could write to it under the other name. Copy it first.",
    });
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error) return String(error.code);
  // Deno sets no code for these.
  if (/file too large/i.test(error.message)) return "EFBIG";
  return /quota/i.test(error.message) ? "EDQUOT" : "";
}

/** The error for a file system error at the output file `path`, with what to do. */
export function fileProblem(error: unknown, path: string): JournalError {
  const code = codeOf(error);
  const folder = dirname(resolvePath(path));
  switch (code) {
    case "ENAMETOOLONG":
      return new JournalError(`the name of the output file is too long`, { cause: error });
    case "ENOENT":
      return new JournalError(`the folder ${folder} of the output file does not exist`, {
        cause: error,
        hint: `Create it first: mkdir -p ${folder}`,
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
        hint: "Nothing written is lost. Free up space and run the same command again.",
      });
    case "EFBIG":
      return new JournalError(`${path} would exceed the maximum file size`, {
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
