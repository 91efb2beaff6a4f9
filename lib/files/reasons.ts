/**
 * Translates the codes of file system errors to plain English.
 *
 * @module
 */

const REASONS: Record<string, string> = {
  ENOENT: "it does not exist",
  ENOTDIR: "a part of its path is a file, not a folder",
  EISDIR: "it is a folder, not a file",
  EEXIST: "a file is in the way",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the disk is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  ENAMETOOLONG: "its name is too long",
  EMFILE: "too many open files",
};

/** Why a file system operation failed, to follow a colon; the error's own message if its code is unknown. */
export function fileReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  if (code === "ENOENT" && "path" in error && String(error.path).includes("\ufffd")) {
    return "its name is not UTF-8; rename it";
  }
  return REASONS[code] ?? error.message;
}

/** The same for a file that is to be created or written: what does not exist is then its folder. */
export function writeReason(error: unknown): string {
  const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
  return isMissing ? "its folder does not exist" : fileReason(error);
}
