/**
 * The options of a batch.
 *
 * @module
 */
import type { AnyResponseFormat, ResponseFormat, SamplingOptions } from "../chat/options.ts";
import type { RetryNotice } from "../chat/retry_notice.ts";
import type { JobOptions } from "./job_options.ts";

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
   * How to send the records: `live`, one request each; or `provider`, as jobs of the provider's batch API, which
   * answers within hours, usually at half price. Needs an `output`, next to which the log of the jobs is stored:
   * the same call continues an interrupted batch at any time, in any process, and submits nothing twice. See
   * {@link LLMClient.submitBatch} to submit now and collect later.
   *
   * `timeout`, `concurrency`, `schemaRetries` and `onRetry` are for live requests.
   *
   * @default "live"
   */
  via?: "live" | "provider";
  /**
   * How jobs are submitted and collected; only with `via: "provider"`.
   *
   * @default the defaults of {@link JobOptions}
   */
  jobs?: JobOptions;
  /**
   * Timeout per attempt, in seconds.
   *
   * @default the client's timeout
   */
  timeout?: number;
  /**
   * Maximum number of times to request an answer again that does not match `responseFormat`; see
   * {@link ChatOptions.schemaRetries}.
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
   * Path of a result file (`.jsonl`). Each result is written to it immediately. Records that it already
   * contains are not sent again. At the end it is sorted by index.
   *
   * @default no file
   */
  output?: string;
  /**
   * Redo records whose input differs from the one in the result file, instead of stopping.
   *
   * @default false
   */
  rerunChanged?: boolean;
  /** Called when an attempt has failed, before the wait for the next one. */
  onRetry?: (notice: RetryNotice) => void;
}
