/**
 * The interface between a batch run and whatever executes its records, such as live requests.
 *
 * @module
 */
import type { CallFacts } from "../chat/call_facts.ts";
import type { BatchRecord } from "../chat/record.ts";
import type { ChatResult } from "../chat/result.ts";
import type { BatchTrace } from "../telemetry/batch_trace.ts";

/** A record and its position in the input. */
export type IndexedRecord = BatchRecord & {
  /** Its position in the input, counted from 0. */
  index: number;
  /** Where the input has it, for messages, such as `in.jsonl:3`. */
  location?: string;
};

/** The outcome of one record. */
export type Outcome =
  & {
    record: IndexedRecord;
    /** Timing and cost of the call, if the executor collects them. */
    facts?: CallFacts;
    /**
     * Whether it was collected from a job that has ended. It says nothing about requests to come, so it never
     * stops the batch.
     *
     * @default false
     */
    isCollected?: boolean;
  }
  & ({ ok: true; result: ChatResult } | { ok: false; error: unknown });

/** Executes records. It knows neither the journal nor when a batch should stop. */
export interface Executor {
  /** Maximum number of records in progress at once. */
  readonly concurrency: number;
  /** Failed attempts so far that were retried. */
  readonly retries: number;
  /** Whether an endpoint has had no failure so far, in which case failures of others do not stop the batch. */
  readonly hasHealthyEndpoint: boolean;
  /**
   * Whether this run has yielded the outcome of a record before it pulled the record, because it continues the
   * work of an earlier run. Such a record is not skipped, but passed on to {@link Executor.run}.
   */
  isYielded?(index: number): boolean;
  /** Makes the spans of its calls a part of a batch. Called before {@link Executor.run}. */
  traceAs?(batch: BatchTrace): void;
  /**
   * Pulls records while it has free slots and yields their outcomes, grouped as they finish. Pulls
   * nothing while outcomes are not consumed, which bounds memory. Can be called once.
   *
   * @throws what `records` throws, after everything that was already started has finished
   */
  run(
    records: Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>,
  ): AsyncIterable<readonly Outcome[]>;
  /** Starts no more records and no more retries. Requests in flight can finish. */
  stop(): void;
  /** Stops and aborts the requests in flight. */
  abort(): void;
}
