/**
 * Results that a batch saved after its result file was replaced. The next run imports them.
 *
 * @module
 */
import { closeSync, openSync, rmSync } from "node:fs";
import { JournalError } from "../../errors.ts";
import { readAt } from "./append_file.ts";
import { fingerprint } from "./fingerprint.ts";
import { comparedLine, type ResultRecord } from "./result_line.ts";
import type { RecordIndex } from "./record_index.ts";
import { readResultLines } from "./read_results.ts";

/** Where the answers of a replaced result file are saved. */
export function rescuedPath(path: string): string {
  return `${path}.rescued`;
}

/** The file that imports the rescued results. */
interface Target {
  /** Its path, as the user named it. */
  name: string;
  index: RecordIndex;
  /** Appends a line, which has its newline. */
  add(line: Uint8Array, record: ResultRecord): void;
}

/** Whether `record` is better than what `index` has for it. */
function isNews({ index: i, status, cost, spent_before }: ResultRecord, index: RecordIndex) {
  const state = index.state(i);
  if (state === "none") return true;
  const spent = (typeof cost === "number" ? cost : 0) + (spent_before ?? 0);
  return state === "error" && status === "success" || spent > index.spentOn(i);
}

function mismatch(record: ResultRecord, path: string, { name, index }: Target): string | undefined {
  if (index.state(record.index) === "none") return undefined;
  const known = index.fingerprint(record.index);
  // A result without its input cannot be compared.
  if (Number.isNaN(known) || known === fingerprint(comparedLine(record))) return undefined;
  return `${path} does not belong to ${name}: record ${record.index} has different input`;
}

/**
 * Adds the results of the rescued file at `path` that `target` lacks. The caller removes the file when
 * they are on the disk. Returns whether there is one.
 *
 * @throws {JournalError} when the two files do not belong together
 */
export function takeRescued(path: string, target: Target): boolean {
  const { name, index } = target;
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
  try {
    for (const { number, record } of readResultLines(fd)) {
      const problem = typeof record === "string"
        ? `${path}:${number} is not a result of flexllm: ${record}`
        : mismatch(record, path, target);
      if (problem === undefined) continue;
      throw new JournalError(problem, {
        hint: `${path} has answers that were saved when ${name} was replaced. To continue with ` +
          `them: mv ${path} ${name}. If you do not need them, remove it.`,
      });
    }
    for (const { offset, length, record } of readResultLines(fd)) {
      if (typeof record === "string" || !isNews(record, index)) continue;
      const line = new Uint8Array(length + 1);
      line.set(readAt(fd, offset, length));
      line[length] = 10;
      target.add(line, record);
    }
  } finally {
    closeSync(fd);
  }
  return true;
}

/** Removes a rescued file whose results are in the result file. */
export function removeRescued(path: string): void {
  rmSync(path, { force: true });
}
