/**
 * What a batch gives back.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { SamplingOptions } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import type { FlexLLMError } from "../errors.ts";
import type { BatchSummary } from "./summary.ts";

/** What became of one record. */
export type BatchItem<ParsedValue = unknown> =
  & {
    /** The record's place in the input, counted from 0. */
    index: number;
    messages: readonly Message[];
    metadata?: Record<string, unknown>;
    /** The record's own options. */
    options?: SamplingOptions & { model?: string };
  }
  & (
    | {
      status: "success";
      result: ChatResult<ParsedValue>;
      /** Whether the result was in the result file before this run. */
      restored: boolean;
    }
    | { status: "error"; error: FlexLLMError }
  );

/** All results of a batch. */
export interface BatchResult<ParsedValue = unknown> {
  /**
   * One item for each record, in the order of the input. When the batch stopped early, records that were
   * not finished are left out: use {@link BatchItem.index}.
   */
  results: BatchItem<ParsedValue>[];
  /** The counts. */
  summary: BatchSummary;
  /**
   * Why the batch stopped early: the budget or quota is used up, it was cancelled, the key was refused,
   * the server is down, the result file cannot be written, and so on. Absent if it finished.
   */
  stoppedBy?: FlexLLMError;
}

/** Yields the items of a batch; returns the counts at its end. */
export type BatchIterator<ParsedValue = unknown> =
  & AsyncGenerator<BatchItem<ParsedValue>, BatchSummary, void>
  & {
    /** The counts so far; also available after the batch has finished or failed. */
    readonly summary: BatchSummary;
  };
