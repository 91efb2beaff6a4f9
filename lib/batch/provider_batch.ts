/**
 * Defines a provider batch as programs see it: submitted now, collected later, possibly by another process.
 *
 * @module
 */
import type { AnyResponseFormat, ResponseFormat, SamplingOptions } from "../chat/options.ts";
import type { BatchIterator } from "./items.ts";
import type { JobOptions } from "./job_options.ts";
import type { PartStatus } from "./jobs/part_status.ts";

/**
 * The options of a provider batch. Sampling options apply to every record that does not override them. Times are
 * in seconds.
 */
export interface ProviderBatchOptions<Format extends AnyResponseFormat = ResponseFormat>
  extends SamplingOptions<Format>, JobOptions {
  /**
   * The model to use.
   *
   * @default the client's model
   */
  model?: string;
  /** Ends submitting and waiting. Submitted jobs go on at the provider. */
  signal?: AbortSignal;
}

/** The options of {@link LLMClient.submitBatch}. Times are in seconds. */
export interface SubmitBatchOptions<Format extends AnyResponseFormat = ResponseFormat>
  extends ProviderBatchOptions<Format> {
  /**
   * Path of the result file (`.jsonl`), which identifies the batch. Records that it already has an answer to are
   * not submitted. The folder of that name with `.parts` added has the log and the inputs of the jobs.
   */
  output: string;
  /**
   * Submit records whose input differs from the one in the result file again, instead of stopping.
   *
   * @default false
   */
  rerunChanged?: boolean;
}

/** The state of a provider batch. */
export interface ProviderBatchStatus {
  /** Path of the result file. */
  output: string;
  /** Whether no part is live: all that was submitted is collected. */
  done: boolean;
  /** The parts, in the order in which they were planned; each is one job. */
  parts: PartStatus[];
}

/**
 * A batch at a provider: jobs that were submitted, and whose results can be collected by any process that opens the
 * result file. Created by {@link LLMClient.submitBatch} and {@link LLMClient.openBatch}.
 *
 * It holds no lock and no connection between its calls. One process at a time can submit, collect or cancel.
 *
 * @example
 * ```ts
 * import { LLMClient, type ProviderBatch } from "@flexllm/flexllm";
 *
 * async function collect(batch: ProviderBatch): Promise<void> {
 *   const { parts } = await batch.status();
 *   for (const { job, state, age } of parts) console.log(job, state, age);
 *   for await (const item of batch.results()) console.log(item.index, item.status);
 * }
 *
 * await using client = new LLMClient({ provider: "mock", model: "mock" });
 * await using batch = await client.submitBatch([[{ role: "user", content: "Why?" }]], {
 *   output: "answers.jsonl",
 *   pollInterval: 0.1, // the built-in mock needs no time
 * });
 * await collect(batch);
 * ```
 */
export interface ProviderBatch<ParsedValue = unknown> extends AsyncDisposable {
  /** Path of the result file. */
  readonly output: string;
  /**
   * Reads the state of the batch: its parts from the log, and their jobs from the provider. Needs no lock, so it also
   * works while another process collects. If the provider cannot be reached, the part has its last known state and
   * a `problem`.
   *
   * @throws {JournalError} if the log cannot be read
   */
  status(): Promise<ProviderBatchStatus>;
  /**
   * Waits for the jobs and yields the items of all records: first those that the result file has, then each as it is
   * collected. Rows that did not run are submitted again. A batch from {@link LLMClient.submitBatch} also submits the
   * inputs that the provider's limits did not allow so far.
   *
   * Leaving the loop loses nothing: the jobs go on, and the next loop, in any process, yields all items again. The
   * iterator's `summary` has the counts; it is also the return value.
   *
   * @throws {TimeoutError} after the last item, if the deadline has left records without a result
   * @throws {AbortedError} after the last item, if the jobs were cancelled, or the signal fired
   * @throws {FlexLLMError} if the jobs cannot be read, or a result cannot be written
   */
  results(): BatchIterator<ParsedValue>;
  /**
   * Cancels the jobs and collects the rows that are done, which the provider bills; {@link ProviderBatch.results}
   * yields them afterwards. Resolves with the state once the jobs have ended. If another process or a loop over
   * the results waits for the jobs, that one cancels and collects, and this resolves at once.
   *
   * @throws {FlexLLMError} if the jobs cannot be read, or a result cannot be written
   */
  cancel(): Promise<ProviderBatchStatus>;
  /** Ends a loop over the results. The jobs go on at the provider; see {@link ProviderBatch.cancel}. */
  close(): Promise<void>;
  /** Closes the batch at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}
