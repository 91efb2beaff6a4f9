/**
 * The items and results of a batch.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { SamplingOptions } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import type { FlexLLMError } from "../errors.ts";
import type { BatchSummary } from "./summary.ts";

/** One finished record: its input, and its result or error. */
export type BatchItem<ParsedValue = unknown> =
  & {
    /** The record's position in the input, counted from 0. */
    index: number;
    /** The messages of the record. */
    messages: readonly Message[];
    /** The metadata of the record. */
    metadata?: Record<string, unknown>;
    /** The options that the record overrides. */
    options?: SamplingOptions & { model?: string };
  }
  & (
    | {
      status: "success";
      result: ChatResult<ParsedValue>;
      /** Whether the result comes from the result file rather than from this run. */
      restored: boolean;
    }
    | { status: "error"; error: FlexLLMError }
  );

/** All results of a batch. */
export interface BatchResult<ParsedValue = unknown> {
  /**
   * One item per record, in input order. If the batch stopped early, unfinished records are missing, so
   * identify records by `index`.
   */
  results: BatchItem<ParsedValue>[];
  /** The counts of the batch. */
  summary: BatchSummary;
  /**
   * Why the batch stopped early; absent if it finished. Examples: the budget or quota was used up, the
   * batch was cancelled, the API key was rejected, the server is down, or the result file could not be
   * written.
   */
  stoppedBy?: FlexLLMError;
}

/** Yields the items of a batch as they finish and returns the counts. */
export type BatchIterator<ParsedValue = unknown> =
  & AsyncGenerator<BatchItem<ParsedValue>, BatchSummary, void>
  & {
    /** The counts so far; also available after the batch has finished or failed. */
    readonly summary: BatchSummary;
  };
