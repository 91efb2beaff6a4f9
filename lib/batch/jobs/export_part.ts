/**
 * Writes the rows of a part to a file that the user takes elsewhere, such as to `vllm run-batch`.
 *
 * Source: vLLM, `vllm/entrypoints/openai/run_batch.py`: lines of OpenAI's batch input format. Its `url` must be
 * exactly `/v1/chat/completions` for chats.
 *
 * @module
 */
import { closeSync, fstatSync, mkdirSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import type { RowRequest } from "../../batch_api/batch_api.ts";
import { encodeLine } from "../../batch_api/row_line.ts";
import { ConfigurationError, JournalError } from "../../errors.ts";
import { fileReason } from "../../files/reasons.ts";
import { readAt } from "../journal/append_file.ts";
import { writeAll } from "../../files/write_all.ts";
import { replaceWith } from "../journal/copy_file.ts";

/** The only path that offline runners accept for chats. */
const CHAT_PATH = "/chat/completions";
/** Bytes that are copied at once. */
const CHUNK_SIZE = 1 << 20;

/** One row as a line of an exported file. */
export function encodeExportedRow(id: string, { body }: RowRequest): string {
  return encodeLine({ custom_id: id, method: "POST", url: `/v1${CHAT_PATH}` }, "body", body);
}

/**
 * Checks that a row has the format of exported files.
 *
 * @throws {ConfigurationError} if it has another one
 */
export function checkExportable({ path }: RowRequest): void {
  if (path === CHAT_PATH) return;
  throw new ConfigurationError(
    `exported files have the format of Chat Completions, and these requests are for ${path}`,
    {
      hint:
        "Set api: chat for the model, or choose a model of a server that speaks Chat Completions.",
    },
  );
}

/** The path of a part's file in a folder. */
export function exportedFile(folder: string, nonce: string): string {
  return join(folder, `${nonce}.jsonl`);
}

/** Whether the file exists. */
export function isExported(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

/**
 * Creates the folder for exported files, unless it exists.
 *
 * @throws {ConfigurationError} if it cannot be created
 */
export function createExportFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new ConfigurationError(`cannot export to ${folder}: ${fileReason(cause)}`, {
      cause,
      hint: "--export needs a folder, which is created if it does not exist.",
    });
  }
}

/** The permissions of a new file: they depend on the umask, which cannot be read everywhere. */
function defaultMode(file: string): number {
  const fd = openSync(`${file}.tmp`, "w");
  try {
    return fstatSync(fd).mode;
  } finally {
    closeSync(fd);
  }
}

/**
 * Copies the rows of a part to `file`, which appears only when it is complete.
 *
 * @throws {JournalError} if it cannot be written
 */
export function exportRows(rows: string, file: string): void {
  try {
    const source = openSync(rows, "r");
    try {
      replaceWith(file, defaultMode(file), (target) => {
        for (let at = 0;; at += CHUNK_SIZE) {
          const bytes = readAt(source, at, CHUNK_SIZE);
          writeAll(target, bytes);
          if (bytes.length < CHUNK_SIZE) return;
        }
      });
    } finally {
      closeSync(source);
    }
  } catch (cause) {
    throw new JournalError(`cannot write ${file}: ${fileReason(cause)}`, {
      cause,
      hint:
        "Nothing is lost. Free up space or check the permissions, and run the same command again.",
    });
  }
}
