/**
 * Converts failures of a ledger's database to errors that say what to do.
 *
 * @module
 */
import { ConfigurationError, FlexLLMError } from "../../errors.ts";

/** Whether another connection holds the lock of the database. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && /\b(locked|busy)\b/i.test(error.message);
}

/** Why a database failed, and what to do about it. */
export function ledgerFailure(error: unknown): { problem: string; hint?: string } {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const text = `${code} ${message}`;
  if (/not a database|malformed|corrupt/i.test(text)) {
    return {
      problem: "is damaged, or not a database",
      hint: "Restore it from a backup, or move it away to start with no keys and no spending.",
    };
  }
  if (/deleted or replaced/.test(message)) {
    return {
      problem: "was deleted or replaced while the gateway runs",
      hint:
        "Put the file back, or restart the gateway with the one that is there now: what was spent since " +
        "is only known to this process. Requests under a budget are refused until then.",
    };
  }
  if (isBusy(error)) return { problem: "is locked by another program" };
  if (/ENOSPC|EDQUOT|EFBIG|is full|disk I\/O error/i.test(text)) {
    return {
      problem: "cannot be written: the disk is full or failing",
      hint: "Free up disk space. Requests under a budget are refused until then.",
    };
  }
  if (/EACCES|EPERM|EROFS|ENOENT|ENOTDIR|EISDIR|EEXIST|readonly|unable to open/i.test(text)) {
    return {
      problem: "cannot be opened or written",
      hint: "Change its permissions or those of its folder, or choose another path.",
    };
  }
  return { problem: `failed: ${message}` };
}

/** The error for a failure of the ledger at `path`. */
export function ledgerError(error: unknown, path: string): FlexLLMError {
  if (error instanceof FlexLLMError) return error;
  const { problem, hint } = ledgerFailure(error);
  return new ConfigurationError(`the gateway's database ${path} ${problem}`, {
    cause: error,
    hint,
  });
}
