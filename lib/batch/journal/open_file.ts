/**
 * Opens and locks a result file, or opens it for reading only.
 *
 * @module
 */
import { closeSync, openSync, statSync } from "node:fs";
import { FlexLLMError, JournalError } from "../../errors.ts";
import { fileReason } from "../../files/reasons.ts";
import { type FileLock, tryLock } from "../../runtime/file_lock.ts";
import { checkKind, fileProblem, resolvePath } from "./output_file.ts";

/** An open result file. */
export interface JournalFile {
  /** With links resolved. */
  path: string;
  /** The path as the user wrote it, for messages. */
  name: string;
  fd: number;
  /** `undefined` if the file is open for reading only. */
  lock: FileLock | undefined;
  /** Whether it did not exist before. */
  isNew: boolean;
}

/** Another process has locked the result file. */
export class LockedFileError extends JournalError {}

async function lockOutput(target: string): Promise<FileLock | undefined> {
  const path = `${target}.lock`;
  try {
    return await tryLock(path);
  } catch (cause) {
    if (cause instanceof FlexLLMError) throw cause;
    throw new JournalError(`cannot create the lock file ${path}`, {
      cause,
      hint: "The output's folder must be writable and have free space.",
    });
  }
}

/**
 * Opens and locks the result file `name`, and creates it if it does not exist.
 *
 * @throws {ConfigurationError} if the runtime is too old to lock files
 * @throws {JournalError} if it cannot be written, or another process is writing it
 */
export async function openToWrite(name: string): Promise<JournalFile> {
  const path = resolvePath(name);
  let lock: FileLock | undefined;
  let fd: number | undefined;
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    checkKind(stats, name);
    // Before locking: a missing folder or permission gets a clearer message here.
    fd = openSync(path, "a+");
    lock = await lockOutput(path);
    if (lock === undefined) {
      throw new LockedFileError(`another flexllm process is writing ${name}`, {
        hint: "Wait until it ends, or choose another output file.",
      });
    }
    // The previous lock holder may have replaced the file while sorting it: reopen.
    closeSync(fd);
    fd = openSync(path, "a+");
    return { path, name, fd, lock, isNew: stats === undefined };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    lock?.release();
    throw error instanceof FlexLLMError ? error : fileProblem(error, name);
  }
}

/** The error for a result file that cannot be read. */
export function readProblem(error: unknown, name: string): JournalError {
  if (error instanceof JournalError) return error;
  return new JournalError(`cannot read ${name}: ${fileReason(error)}`, {
    cause: error,
    hint: "Choose another output file, or change the permissions.",
  });
}

/**
 * Opens the result file `name` for reading; another process may be writing it. `undefined` if it does
 * not exist.
 *
 * @throws {JournalError} if it cannot be read
 */
export function openToRead(name: string): JournalFile | undefined {
  const path = resolvePath(name);
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    checkKind(stats, name);
    return { path, name, fd: openSync(path, "r"), lock: undefined, isNew: false };
  } catch (error) {
    throw readProblem(error, name);
  }
}
