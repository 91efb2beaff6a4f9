/**
 * What every client offers: {@link LLMClient}, and whatever stands in for it.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import type { RetryNotice } from "../scheduling/scheduler.ts";
import type { BatchItem, BatchOptions, BatchRecord, BatchResult } from "../batch/batch.ts";
import type { CompletionStream } from "./completion_stream.ts";
import type { EndpointStats } from "./endpoint_stats.ts";

/** How a caller of many requests follows one that waits, without holding a slot. */
export interface CallHooks {
  /**
   * Ends the wait for a slot or between two tries, and only that: the call then throws
   * {@link AbortedError}, while a try that has begun goes on.
   */
  waitSignal?: AbortSignal;
  /** Called when a try failed and the next one is waited for. */
  onRetryWait?: (notice: RetryNotice) => void;
  /** Called when that wait is over. */
  onRetryResume?: () => void;
  /**
   * Whether to wait for an endpoint that was there and has gone away, for as long as `maxWait` says;
   * retries are not used up by it. A batch does, a single call fails sooner.
   */
  patient?: boolean;
  /** How many more requests the caller has, where it knows: near the end slow endpoints are spared. */
  remaining?: () => number;
}

/** The input of a batch: conversations, or records with metadata. */
export type BatchInput = readonly Message[] | BatchRecord;

/** Asks models for completions. */
export interface ChatClient {
  /** How many requests can be in flight at once. */
  readonly concurrencyLimit: number;
  /** How its endpoints are doing now. */
  readonly stats: EndpointStats[];
  /** Asks for one completion. */
  chatCompletions(
    messages: readonly Message[],
    options?: ChatOptions & CallHooks,
  ): Promise<ChatResult>;
  /** Asks for one completion, streamed. */
  chatCompletionsStream(messages: readonly Message[], options?: ChatOptions): CompletionStream;
  /** Asks for many completions and gives them in the order of the input. */
  chatCompletionsBatch(
    inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
    options?: BatchOptions,
  ): Promise<BatchResult>;
  /** Asks for many completions and gives each as it finishes. */
  iterChatCompletionsBatch(
    inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
    options?: BatchOptions,
  ): AsyncGenerator<BatchItem, void, void>;
  /** Cancels what is in flight and writes what is to be kept. */
  close(): Promise<void>;
}
