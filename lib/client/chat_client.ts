/**
 * The interface of {@link LLMClient} and {@link LLMClientPool}.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { AnyResponseFormat, ChatOptions, Parsed, ResponseFormat } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import type { BatchIterator, BatchResult } from "../batch/items.ts";
import type { BatchOptions } from "../batch/options.ts";
import type { BatchInput } from "../chat/record.ts";
import type { ModelInfo } from "../protocols/protocol.ts";
import type { CompletionStream } from "./completion_stream.ts";
import type { EndpointStats } from "./endpoint_stats.ts";

/** Anything that completes chats: {@link LLMClient}, {@link LLMClientPool}, or your own stand-in. */
export interface ChatClient {
  /** Maximum requests in flight. */
  readonly concurrencyLimit: number;
  /** The current state of each endpoint. */
  readonly stats: EndpointStats[];
  /** Requests one completion. See {@link LLMClient.chatCompletions}. */
  chatCompletions<Format extends AnyResponseFormat = ResponseFormat>(
    messages: readonly Message[],
    options?: ChatOptions<Format>,
  ): Promise<ChatResult<Parsed<Format>>>;
  /** Requests one completion as a stream. See {@link LLMClient.chatCompletionsStream}. */
  chatCompletionsStream<Format extends AnyResponseFormat = ResponseFormat>(
    messages: readonly Message[],
    options?: ChatOptions<Format>,
  ): CompletionStream<Parsed<Format>>;
  /** Completes many conversations. See {@link LLMClient.chatCompletionsBatch}. */
  chatCompletionsBatch<Format extends AnyResponseFormat = ResponseFormat>(
    inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
    options?: BatchOptions<Format>,
  ): Promise<BatchResult<Parsed<Format>>>;
  /** Yields results as they finish. See {@link LLMClient.iterChatCompletionsBatch}. */
  iterChatCompletionsBatch<Format extends AnyResponseFormat = ResponseFormat>(
    inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
    options?: BatchOptions<Format>,
  ): BatchIterator<Parsed<Format>>;
  /** Lists the models that the server offers. See {@link LLMClient.models}. */
  models(options?: Pick<ChatOptions, "signal" | "timeout">): Promise<ModelInfo[]>;
  /** Aborts all requests in flight and writes pending cache entries. */
  close(): Promise<void>;
}
