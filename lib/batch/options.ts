/**
 * The options of a batch.
 *
 * @module
 */
import type { AnyResponseFormat, ResponseFormat, SamplingOptions } from "../chat/options.ts";
import type { RetryNotice } from "../chat/retry_notice.ts";

/**
 * The options of a batch. Sampling options apply to every record that does not override them. Times
 * are in seconds.
 */
export interface BatchOptions<Format extends AnyResponseFormat = ResponseFormat>
  extends SamplingOptions<Format> {
  /**
   * The model to use.
   *
   * @default the client's model
   */
  model?: string;
  /**
   * Timeout of one attempt, in seconds.
   *
   * @default the client's timeout
   */
  timeout?: number;
  /**
   * How often an answer that does not match `responseFormat` is requested again.
   *
   * @default 0
   */
  schemaRetries?: number;
  /** Cancels the batch: aborts the requests in flight. Finished results stay in the result file. */
  signal?: AbortSignal;
  /**
   * Maximum number of records in progress.
   *
   * @default the client's `concurrencyLimit`, which also caps it
   */
  concurrency?: number;
  /**
   * Path of a result file (`.jsonl`). Each result is written to it immediately, records that it already
   * has are not sent again, and it is sorted at the end.
   */
  output?: string;
  /**
   * Redo records whose input differs from the one in the result file, instead of stopping.
   *
   * @default false
   */
  rerunChanged?: boolean;
  /** Called when an attempt failed, before the wait for the next one. */
  onRetry?: (notice: RetryNotice) => void;
}
