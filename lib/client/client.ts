/**
 * The client of one endpoint.
 *
 * @module
 */
import { collectBatch, iterateBatch } from "../batch/batch.ts";
import type { Completions } from "../batch/completions.ts";
import type { BatchIterator, BatchResult } from "../batch/items.ts";
import type { BatchOptions } from "../batch/options.ts";
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import { systemClock } from "../runtime/clock.ts";
import type { ModelInfo } from "../protocols/protocol.ts";
import { EndpointLimits } from "../scheduling/endpoint_limits.ts";
import type { CallHooks, ChatClient } from "./chat_client.ts";
import type { BatchInput } from "../chat/record.ts";
import { type ClientOptions, withDefaults } from "./client_options.ts";
import { CallPipeline } from "./call_pipeline.ts";
import type { CompletionStream } from "./completion_stream.ts";
import { EndpointClient } from "./endpoint_client.ts";
import { type EndpointStats, endpointStats } from "./endpoint_stats.ts";

/**
 * Asks one server for chat completions, within limits and with retries.
 *
 * @example
 * ```ts
 * import { LLMClient } from "@flexllm/flexllm";
 *
 * await using client = new LLMClient({ provider: "mock", model: "mock" });
 * const { content } = await client.chatCompletions([{ role: "user", content: "Hello!" }]);
 * ```
 */
export class LLMClient implements ChatClient, AsyncDisposable {
  readonly concurrencyLimit: number;
  readonly #endpoint: EndpointClient;
  readonly #completer: CallPipeline;

  /**
   * Makes a client; nothing is sent yet.
   *
   * @throws {ConfigurationError} when an option is wrong
   */
  constructor(options: ClientOptions) {
    const settings = withDefaults(options);
    this.concurrencyLimit = settings.concurrency;
    this.#endpoint = new EndpointClient(options, new EndpointLimits(settings, true), systemClock);
    this.#completer = new CallPipeline([this.#endpoint], {
      ...settings,
      loadBalance: "fallback",
      fallback: false,
      clock: systemClock,
    });
  }

  /**
   * Asks for one completion.
   *
   * @throws {FlexLLMError} of the kind that fits; failures that can pass were tried again before
   */
  chatCompletions(
    messages: readonly Message[],
    options: ChatOptions = {},
    hooks?: CallHooks,
  ): Promise<ChatResult> {
    return this.#completer.complete(messages, options, hooks);
  }

  /**
   * Asks for one completion that arrives piece by piece. It is sent when the stream is first read;
   * errors are thrown there, with what had arrived in `partial`.
   *
   * @throws {FlexLLMError} at once when the messages or options are wrong
   */
  chatCompletionsStream(
    messages: readonly Message[],
    options: ChatOptions = {},
    hooks?: CallHooks,
  ): CompletionStream {
    return this.#completer.stream(messages, options, hooks);
  }

  /**
   * Sends many conversations and resolves with their results in the order of the input. A record that
   * fails does not stop the others; see `status` of the items. A batch that stops early resolves with
   * what was answered, and says why in {@link BatchResult.stoppedBy}.
   *
   * @throws {FlexLLMError} when there is no result to return: wrong options, a journal of another
   *   input, a refused key or an unreachable server before the first answer
   */
  chatCompletionsBatch(
    inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
    options: BatchOptions = {},
  ): Promise<BatchResult> {
    return collectBatch(completionsOf(this), inputs, options);
  }

  /**
   * Sends many conversations and yields each result as it finishes. Reads the input only as fast as
   * the results are taken, so memory is bounded by the concurrency. Leaving the loop cancels the rest.
   * The counts are in the iterator's `summary`, and its return value.
   *
   * @throws {FlexLLMError} when the batch stops early, after the items so far
   */
  iterChatCompletionsBatch(
    inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
    options: BatchOptions = {},
  ): BatchIterator {
    return iterateBatch(completionsOf(this), inputs, options);
  }

  /**
   * Lists the models that the server offers, all pages of them.
   *
   * @throws {FlexLLMError} of the kind that fits
   */
  models(options: Pick<ChatOptions, "signal" | "timeout"> = {}): Promise<ModelInfo[]> {
    return this.#completer.models(options);
  }

  /** How the endpoint is doing now; a list of one, as a pool has it of several. */
  get stats(): EndpointStats[] {
    return [endpointStats(this.#endpoint, systemClock.now())];
  }

  /**
   * Cancels what is in flight, and writes what the cache has not written yet. Never rejects; safe to
   * call twice.
   */
  close(): Promise<void> {
    return this.#completer.close();
  }

  /** Closes the client at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What a batch needs of `client`. */
export function completionsOf(client: ChatClient): Completions {
  return {
    concurrencyLimit: client.concurrencyLimit,
    get stats() {
      return client.stats;
    },
    complete: (messages, options, hooks) => client.chatCompletions(messages, options, hooks),
  };
}
