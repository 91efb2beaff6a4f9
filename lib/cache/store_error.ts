/**
 * Converts failures of a store to errors that say what to do.
 *
 * @module
 */
import { CacheError, FlexLLMError } from "../errors.ts";

/** The error to report for a failure of the store at `location`. */
export function storeError(error: unknown, location: string | undefined): FlexLLMError {
  if (error instanceof FlexLLMError) {
    if (location === undefined || error.message.includes(location)) return error;
    return new CacheError(`${location}: ${error.message}`, { cause: error, hint: error.hint });
  }
  const store = location ?? "the store";
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const text = `${code} ${message}`;
  if (/not a database|malformed|corrupt/i.test(text)) {
    return new CacheError(`${store} is damaged, or not a cache`, {
      cause: error,
      hint: "Delete it, or choose another path.",
    });
  }
  if (/\b(locked|busy)\b/i.test(text)) {
    return new CacheError(`${store} is locked by another program`, { cause: error });
  }
  if (/ENOSPC|EDQUOT|EFBIG|is full|disk I\/O error/i.test(text)) {
    return new CacheError(`${store} cannot be written: the disk is full or failing`, {
      cause: error,
      hint: "Free up space, or choose another path.",
    });
  }
  if (/EACCES|EPERM|EROFS|ENOENT|ENOTDIR|EISDIR|EEXIST|readonly|unable to open/i.test(text)) {
    return new CacheError(`${store} cannot be opened or written`, {
      cause: error,
      hint: "Choose another path, or change the permissions.",
    });
  }
  return new CacheError(`${store}: ${message}`, { cause: error });
}
