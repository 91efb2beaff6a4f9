/**
 * Compares a record of the input with the one that was submitted or exported.
 *
 * @module
 */
import { JournalMismatchError } from "../../errors.ts";
import type { IndexedRecord } from "../executor.ts";
import { fingerprint } from "../journal/fingerprint.ts";
import { inputIdentity } from "../journal/result_line.ts";
import type { PartState } from "./part_events.ts";

/** Whether the result of one record is that of the other. */
export function isSameRecord(a: IndexedRecord, b: IndexedRecord): boolean {
  return fingerprint(inputIdentity(a)) === fingerprint(inputIdentity(b));
}

/** The error for a record that differs from the one in its part. */
export function changedRecord(
  { index, location }: IndexedRecord,
  { api, job }: PartState,
): JournalMismatchError {
  const where = location === undefined ? "" : ` (${location})`;
  const how = api === "export"
    ? "it was exported"
    : `it was submitted${job === undefined ? "" : ` in job ${job.id}`}`;
  return new JournalMismatchError(`record ${index}${where} has changed since ${how}`, index, {
    hint:
      "Use the same input, system prompt and template as then. Or add --rerun-changed: the earlier " +
      "version is collected, and the next run sends the changed one.",
  });
}
