/**
 * The client of several endpoints.
 *
 * @module
 */
import { collectBatch, iterateBatch } from "../batch/batch.ts";
import type { BatchIterator, BatchResult } from "../batch/items.ts";
import type { BatchOptions } from "../batch/options.ts";
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import { systemClock } from "../runtime/clock.ts";
import { EndpointLimits } from "../scheduling/endpoint_limits.ts";
import type { CallHooks, ChatClient } from "./chat_client.ts";
import { completionsOf } from "./client.ts";
import type { BatchInput } from "../chat/record.ts";
import { type PoolOptions, withPoolDefaults } from "./client_options.ts";
import { CallPipeline } from "./call_pipeline.ts";
import type { CompletionStream } from "./completion_stream.ts";
import { EndpointClient } from "./endpoint_client.ts";
import { type EndpointStats, endpointStats } from "./endpoint_stats.ts";

/**
 * Asks several servers, or several models or keys, as if they were one: shares requests out, goes
 * around endpoints that are away or busy, and sends what one fails to another. All requests wait in one
 * line, so a faster endpoint does more of a batch.
 *
 * @example
 * ```ts
 * import { LLMClientPool } from "@flexllm/flexllm";
 *
 * await using pool = new LLMClientPool({
 *   endpoints: [
 *     { baseUrl: "http://gpu1:8000/v1", model: "qwen", concurrencyLimit: 50 },
 *     { baseUrl: "http://gpu2:8000/v1", model: "qwen", concurrencyLimit: 20 },
 *   ],
 *   loadBalance: "least_busy",
 * });
 * ```
 */
export class LLMClientPool implements ChatClient, AsyncDisposable {
  readonly concurrencyLimit: number;
  readonly #endpoints: EndpointClient[];
  readonly #completer: CallPipeline;

  /**
   * Makes a pool; nothing is sent yet.
   *
   * @throws {ConfigurationError} when an option is wrong
   */
  constructor(options: PoolOptions) {
    const { endpoints, ...settings } = withPoolDefaults(options);
    this.#endpoints = endpoints.map(({ options, gate }) =>
      new EndpointClient(options, new EndpointLimits(gate, endpoints.length === 1), systemClock)
    );
    this.concurrencyLimit = endpoints.reduce((sum, { gate }) => sum + gate.concurrency, 0);
    this.#completer = new CallPipeline(this.#endpoints, { ...settings, clock: systemClock });
  }

  /**
   * Asks one of the endpoints for one completion.
   *
   * @throws {FlexLLMError} of the kind that fits, when no endpoint could answer
   */
  chatCompletions(
    messages: readonly Message[],
    options: ChatOptions = {},
    hooks?: CallHooks,
  ): Promise<ChatResult> {
    return this.#completer.complete(messages, options, hooks);
  }

  /**
   * Asks one of the endpoints for one completion that arrives piece by piece. Until the first piece a
   * failure goes to another endpoint; after it, it is thrown, with what had arrived in `partial`.
   */
  chatCompletionsStream(
    messages: readonly Message[],
    options: ChatOptions = {},
    hooks?: CallHooks,
  ): CompletionStream {
    return this.#completer.stream(messages, options, hooks);
  }

  /**
   * Sends many conversations to all endpoints at once, and resolves with their results in the order of
   * the input. A batch that stops early resolves with what was answered, and says why in
   * {@link BatchResult.stoppedBy}.
   *
   * @throws {FlexLLMError} when there is no result to return
   */
  chatCompletionsBatch(
    inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
    options: BatchOptions = {},
  ): Promise<BatchResult> {
    return collectBatch(completionsOf(this), inputs, options);
  }

  /**
   * Sends many conversations to all endpoints at once, and yields each result as it finishes. The counts
   * are in the iterator's `summary`, and its return value.
   *
   * @throws {FlexLLMError} when the batch stops early, after the items so far
   */
  iterChatCompletionsBatch(
    inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
    options: BatchOptions = {},
  ): BatchIterator {
    return iterateBatch(completionsOf(this), inputs, options);
  }

  /** How the endpoints are doing now, in their order. */
  get stats(): EndpointStats[] {
    const now = systemClock.now();
    return this.#endpoints.map((endpoint) => endpointStats(endpoint, now));
  }

  /**
   * Cancels what is in flight, and writes what the cache has not written yet. Never rejects; safe to
   * call twice.
   */
  close(): Promise<void> {
    return this.#completer.close();
  }

  /** Closes the pool at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
