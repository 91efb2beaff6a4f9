/**
 * What every client offers: {@link LLMClient}, and whatever stands in for it.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import type { CallHooks } from "../scheduling/scheduler.ts";
import type { BatchIterator, BatchResult } from "../batch/items.ts";
import type { BatchOptions } from "../batch/options.ts";
import type { BatchInput } from "../chat/record.ts";
import type { CompletionStream } from "./completion_stream.ts";
import type { EndpointStats } from "./endpoint_stats.ts";

export type { CallHooks };

/** Asks models for completions. */
export interface ChatClient {
  /** How many requests can be in flight at once. */
  readonly concurrencyLimit: number;
  /** How its endpoints are doing now. */
  readonly stats: EndpointStats[];
  /** Asks for one completion. */
  chatCompletions(
    messages: readonly Message[],
    options?: ChatOptions,
    hooks?: CallHooks,
  ): Promise<ChatResult>;
  /** Asks for one completion, streamed. */
  chatCompletionsStream(
    messages: readonly Message[],
    options?: ChatOptions,
    hooks?: CallHooks,
  ): CompletionStream;
  /** Sends many conversations and resolves with their results in the order of the input. */
  chatCompletionsBatch(
    inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
    options?: BatchOptions,
  ): Promise<BatchResult>;
  /** Sends many conversations and yields each result as it finishes. */
  iterChatCompletionsBatch(
    inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
    options?: BatchOptions,
  ): BatchIterator;
  /** Cancels what is in flight and writes what is to be kept. */
  close(): Promise<void>;
}
