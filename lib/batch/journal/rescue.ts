/**
 * Imports the results that a batch saved when its result file was replaced.
 *
 * @module
 */
import { closeSync, openSync, rmSync } from "node:fs";
import { JournalError } from "../../errors.ts";
import { asNumber } from "../../json/json.ts";
import { readAt } from "./append_file.ts";
import type { JournalContents } from "./contents.ts";
import { ExistingLine } from "./existing_line.ts";
import { rescuePath } from "./file_guard.ts";
import { fingerprint } from "./fingerprint.ts";
import type { JournalWriter } from "./journal_writer.ts";
import type { ModelIndexes } from "./model_indexes.ts";
import type { JournalFile } from "./open_file.ts";
import { readResultLines } from "./read_results.ts";
import { lineIdentity, type ResultRecord } from "./result_line.ts";

/** The journal that imports the results. */
interface Importer {
  /** Its path as the user wrote it, for messages. */
  name: string;
  indexes: ModelIndexes;
  /** Appends the line `json`, which contains `record`. */
  add(json: Uint8Array, record: ResultRecord): void;
}

/** Whether `record` adds something to the index: an answer, or a higher cost. */
function isUseful(record: ResultRecord, indexes: ModelIndexes) {
  const { index: i, requested_model, status, cost, spent_before } = record;
  const index = indexes.of(requested_model);
  const state = index.state(i);
  if (state === "none") return true;
  const spent = (asNumber(cost) ?? 0) + (asNumber(spent_before) ?? 0);
  return state === "error" && status === "success" || spent > index.spentOn(i);
}

function mismatch(record: ResultRecord, path: string, { name, indexes }: Importer) {
  const index = indexes.of(record.requested_model);
  if (index.state(record.index) === "none") return undefined;
  const known = index.fingerprint(record.index);
  // Results without an input cannot be compared.
  if (!(known >= 0) || known === fingerprint(lineIdentity(record))) return undefined;
  return `${path} does not belong to ${name}: record ${record.index} has different input`;
}

/**
 * Adds the results of the rescued file at `path` that the journal lacks. Returns whether the file exists.
 *
 * @throws {JournalError} if the file belongs to another journal, or contains anything but results
 */
function addRescued(path: string, importer: Importer): boolean {
  const { name, indexes } = importer;
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
  try {
    // Checks the whole file first, so that nothing is added if it belongs to another journal.
    for (const line of readResultLines(fd)) {
      const record = line.parse();
      const problem = typeof record === "string"
        ? `${path}:${line.number} is not a result of flexllm: ${record}`
        : mismatch(record, path, importer);
      if (problem === undefined) continue;
      throw new JournalError(problem, {
        hint: `${path} has answers that were saved when ${name} was replaced. To continue with ` +
          `them: mv ${path} ${name}. If you do not need them, delete it.`,
      });
    }
    for (const line of readResultLines(fd)) {
      const record = line.parse();
      if (typeof record === "string" || !isUseful(record, indexes)) continue;
      importer.add(readAt(fd, line.offset, line.length), record);
    }
  } finally {
    closeSync(fd);
  }
  return true;
}

/**
 * Adds the results that an earlier run saved when the result file `file` was replaced, as far as the journal lacks
 * them, and deletes that copy. If the file is open for reading only, they are only added to `contents`.
 *
 * @throws {JournalError} if the copy belongs to another journal, or contains anything but results
 */
export function importRescued(
  { path, name, lock }: JournalFile,
  contents: JournalContents,
  writer: JournalWriter,
): void {
  const rescued = rescuePath(path);
  const add = (json: Uint8Array, record: ResultRecord) => {
    // It is enough to know that the record is done.
    const { offsets: [offset], lengths: [length] } = lock === undefined
      ? { offsets: [0], lengths: [json.length + 1] }
      : writer.write([{ ...record, json }]);
    contents.addExisting(new ExistingLine().setFrom(record), offset, length - 1);
  };
  const exists = addRescued(rescued, { name, indexes: contents.indexes, add });
  if (!exists || lock === undefined) return;
  writer.sync();
  rmSync(rescued, { force: true });
}
