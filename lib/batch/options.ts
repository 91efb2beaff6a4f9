/**
 * The options of a batch.
 *
 * @module
 */
import type { AnyResponseFormat, ResponseFormat, SamplingOptions } from "../chat/options.ts";
import type { RetryNotice } from "../chat/retry_notice.ts";

/**
 * The options of a batch; sampling options hold for every record that has no own ones. Times are in
 * seconds.
 */
export interface BatchOptions<Format extends AnyResponseFormat = ResponseFormat>
  extends SamplingOptions<Format> {
  /** The model to ask instead of the client's. */
  model?: string;
  /** Seconds one try may take; default the client's. */
  timeout?: number;
  /** How often an answer that does not fit `responseFormat` is asked for again; default 0. */
  schemaRetries?: number;
  /** Cancels the batch; what is in flight is cut, what is done stays in the result file. */
  signal?: AbortSignal;
  /** The most records at work at once; default, and at most, the client's `concurrencyLimit`. */
  concurrency?: number;
  /**
   * A result file (`.jsonl`). Records that are done in it are not asked again; each new result is
   * written to it at once, and at the end it is put in order.
   */
  output?: string;
  /** Redo records whose input differs from that in the result file, instead of stopping. */
  rerunChanged?: boolean;
  /** Called when an attempt failed, before the wait for the next one. */
  onRetry?: (notice: RetryNotice) => void;
}
