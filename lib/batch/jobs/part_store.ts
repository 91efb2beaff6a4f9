/**
 * Defines where the parts of a batch are kept between runs: their log, their inputs and their records.
 *
 * @module
 */
import type { JobInput } from "../../batch_api/batch_api.ts";
import type { IndexedRecord } from "../executor.ts";
import type { PreparedRow } from "./job_client.ts";
import type { PartEvent, PartState, PlannedPart } from "./part_events.ts";

/** What an event has besides its part and its time. */
export type EventFields<E> = E extends PartEvent ? Omit<E, "part" | "at"> : never;

/** A part that is being filled with rows. */
export interface PartDraft {
  readonly nonce: string;
  readonly rows: number;
  /** Size of the encoded rows so far, in bytes. */
  readonly bytes: number;
  readonly promptTokens: number;
  /** Sum of the rows' maximum costs; `null` if one is unknown. */
  readonly maxCost: number | null;
  /** The id that the row of this record has in this part: `NONCE_INDEX_FINGERPRINT`. */
  rowId(record: IndexedRecord, row: PreparedRow): string;
  /** Adds a row. `line` is the encoded row, without a line break. */
  add(record: IndexedRecord, row: PreparedRow, id: string, line: string): void;
  /** Syncs the files, logs the part as planned and returns it. */
  plan(
    fields: Pick<PlannedPart, "api" | "endpoint" | "key" | "model" | "path" | "requested_model">,
  ): PartState;
  /** Deletes the draft. */
  discard(): void;
}

/** The records of one part, read from disk one at a time. */
export interface PartRecords extends Disposable {
  /** The indexes of its records, in the order of its rows. */
  readonly indexes: readonly number[];
  /**
   * The record of a row id; `undefined` if the part has no such row, or the fingerprint in the id is not the
   * one of its request.
   */
  find(rowId: string): IndexedRecord | undefined;
  /** The record on a line of the input, from 1; `undefined` if it has no such line. */
  atLine(line: number): IndexedRecord | undefined;
  /** The record with this index. */
  get(index: number): IndexedRecord | undefined;
}

/** The parts of one result file. The caller holds the lock of the result file. */
export interface PartStore extends Disposable {
  /** All parts that the log has, in the order in which they were planned. */
  readonly parts: readonly PartState[];
  /** Starts a part. */
  draft(): PartDraft;
  /** Logs a step, synced to disk, and returns the part's new state. */
  log(part: string, event: EventFields<PartEvent>): PartState;
  /** The input of a part, for uploading. */
  input(part: PartState): JobInput;
  /**
   * Copies the rows of a part to `file`, which appears only when it is complete.
   *
   * @throws {JournalError} if it cannot be written
   */
  exportRows(part: PartState, file: string): void;
  /** The records of a part. */
  records(part: PartState): PartRecords;
  /** Deletes the files of a part whose rows are collected or free again. */
  release(part: PartState): void;
  /**
   * Whether another process has asked for the cancellation of all parts (`flexllm batch cancel`) while this one
   * holds the lock.
   */
  isCancelRequested(): boolean;
  /** Withdraws that request, once all parts are cancelled. */
  clearCancelRequest(): void;
}
