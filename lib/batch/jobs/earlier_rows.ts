/**
 * Remembers which records belong to parts of earlier runs, so that the input does not send them again.
 *
 * @module
 */
import { JournalMismatchError } from "../../errors.ts";
import type { IndexedRecord } from "../executor.ts";
import { fingerprint } from "../journal/fingerprint.ts";
import { inputIdentity } from "../journal/result_line.ts";
import type { PartState } from "./part_events.ts";
import type { PartRecords } from "./part_store.ts";

/** The records of earlier parts, by their index. Takes five bytes for each index up to the highest. */
export class EarlierRows {
  readonly #parts: { state: PartState; records: PartRecords }[] = [];
  /** The number of the part that has a record, from 1. */
  #owners = new Uint32Array(0);
  /** 1 for each record whose outcome this run has yielded. */
  #yielded = new Uint8Array(0);

  /** Adds a part that an earlier run has left. */
  add(state: PartState, records: PartRecords): void {
    this.#parts.push({ state, records });
    const end = records.indexes.reduce((max, index) => Math.max(max, index + 1), 0);
    if (end > this.#owners.length) this.#grow(end);
    for (const index of records.indexes) this.#owners[index] = this.#parts.length;
  }

  /** Whether a record belongs to an earlier part, collected or not. */
  has(index: number): boolean {
    return (this.#owners[index] ?? 0) > 0;
  }

  /** Marks a record whose outcome is yielded. */
  markYielded(index: number): void {
    if (this.has(index)) this.#yielded[index] = 1;
  }

  /** Whether the outcome of a record was yielded. */
  isYielded(index: number): boolean {
    return this.#yielded[index] === 1;
  }

  /** Whether a record is the one that was submitted. */
  isUnchanged(record: IndexedRecord): boolean {
    const submitted = this.#partOf(record)?.records.get(record.index);
    return submitted === undefined ||
      fingerprint(inputIdentity(submitted)) === fingerprint(inputIdentity(record));
  }

  /** The error for a record that has changed since it was submitted. */
  changedError(record: IndexedRecord): JournalMismatchError {
    const job = this.#partOf(record)?.state.job;
    const where = record.location === undefined ? "" : ` (${record.location})`;
    const owner = job === undefined ? "a job" : `job ${job.id}`;
    return new JournalMismatchError(
      `record ${record.index}${where} has changed since it was submitted with ${owner}`,
      record.index,
      {
        hint: "Use the input, the system prompt and the template that were submitted. Or add " +
          "--rerun-changed: the submitted records are collected, and the next run sends the " +
          "changed ones.",
      },
    );
  }

  /** Closes the records. */
  close(): void {
    for (const { records } of this.#parts) records[Symbol.dispose]();
    this.#parts.length = 0;
  }

  #partOf({ index }: IndexedRecord) {
    return this.#parts[this.#owners[index] - 1];
  }

  #grow(size: number): void {
    const owners = new Uint32Array(size);
    owners.set(this.#owners);
    this.#owners = owners;
    const yielded = new Uint8Array(size);
    yielded.set(this.#yielded);
    this.#yielded = yielded;
  }
}
