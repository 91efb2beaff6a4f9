/**
 * The client: completions, streams and batches through one or more endpoints.
 *
 * @module
 */
import { collectBatch, iterateBatch } from "../batch/batch.ts";
import type { Completions } from "../batch/completions.ts";
import type { BatchIterator, BatchResult } from "../batch/items.ts";
import type { JobProvider } from "../batch/job_provider.ts";
import type { BatchOptions } from "../batch/options.ts";
import type {
  ProviderBatch,
  ProviderBatchOptions,
  SubmitBatchOptions,
} from "../batch/provider_batch.ts";
import type { BatchClient } from "../batch/sending.ts";
import type { Message } from "../chat/messages.ts";
import type { AnyResponseFormat, ChatOptions, Parsed, ResponseFormat } from "../chat/options.ts";
import type { BatchInput } from "../chat/record.ts";
import type { ChatResult } from "../chat/result.ts";
import type { ModelInfo } from "../protocols/protocol.ts";
import { systemClock } from "../runtime/clock.ts";
import { EndpointLimits } from "../scheduling/endpoint_limits.ts";
import type { CallHooks } from "../scheduling/call_hooks.ts";
import { CallPipeline } from "./call_pipeline.ts";
import type { ChatClient } from "./chat_client.ts";
import type { ClientOptions, PoolOptions } from "./client_options.ts";
import { type ClientSettings, clientSettings, poolSettings } from "./client_settings.ts";
import type { CompletionStream } from "./completion_stream.ts";
import { EndpointClient } from "./endpoint_client.ts";
import type { EndpointStats } from "./endpoint_stats.ts";

let pipelineOfClient: (client: LLMClient) => CallPipeline;

/** The interface through which a batch uses `client`: single calls, with hooks. */
export function completionsOf(client: LLMClient): Completions {
  return pipelineOfClient(client);
}

/** The inside of `client`, for other ways to send its calls. */
export function pipelineOf(client: LLMClient): CallPipeline {
  return pipelineOfClient(client);
}

/** The interface through which a batch submits jobs to the provider of a client. */
function jobProvider(pipeline: CallPipeline, retryTimes: number): JobProvider {
  return {
    get signal() {
      return pipeline.signal;
    },
    retryTimes,
    model: pipeline.endpoints[0].model,
    async jobs(request) {
      const { endpointJobs } = await import("./endpoint_jobs.ts");
      return endpointJobs(pipeline, request);
    },
  };
}

/** The hooks of a call with these options. */
function hooksOf({ onRetry }: Pick<ChatOptions, "onRetry">): CallHooks | undefined {
  return onRetry && { onRetryWait: onRetry };
}

/**
 * Completes chats on one server, within limits and with retries. For several servers, see
 * {@link LLMClientPool}.
 *
 * Use one client per program: it holds the limits, the cache and the connections. Close it with
 * `await using` or {@link LLMClient.close}.
 *
 * @example One answer
 * ```ts
 * import { LLMClient } from "@flexllm/flexllm";
 *
 * await using client = new LLMClient({ provider: "mock", model: "mock" });
 * const { content } = await client.chatCompletions([{ role: "user", content: "Hello!" }]);
 * console.log(content);
 * ```
 */
export class LLMClient implements ChatClient, AsyncDisposable {
  /** Maximum requests in flight, over all endpoints. */
  readonly concurrencyLimit: number;
  readonly #pipeline: CallPipeline;
  readonly #batchClient: BatchClient & { provider: JobProvider };

  static {
    pipelineOfClient = (client) => client.#pipeline;
  }

  /**
   * Creates a client. Nothing is sent yet. With `endpoints`, it is a pool: see {@link LLMClientPool}.
   *
   * @throws {ConfigurationError} if an option is invalid
   */
  constructor(options: ClientOptions | PoolOptions) {
    const settings = "endpoints" in options ? poolSettings(options) : clientSettings(options);
    const isOnly = settings.endpoints.length === 1;
    const endpoints = settings.endpoints.map(({ options, limits }) =>
      new EndpointClient(options, new EndpointLimits(limits, isOnly), systemClock)
    );
    this.#pipeline = new CallPipeline(endpoints, { ...settings, clock: systemClock });
    this.#shareLimits(settings, endpoints);
    const { onCall, onAttempt } = options;
    if (onCall !== undefined || onAttempt !== undefined) {
      this.#pipeline.listeners.add({ onCall, onAttempt });
    }
    const provider = jobProvider(this.#pipeline, settings.retryTimes);
    this.#batchClient = { completions: this.#pipeline, provider };
    this.concurrencyLimit = this.#pipeline.concurrencyLimit;
  }

  /** Shares what is limited, if a server is named for it. */
  #shareLimits(settings: ClientSettings, endpoints: readonly EndpointClient[]): void {
    const { redis, total, costTracker, cache } = settings;
    if (redis === undefined) return;
    const limits = settings.endpoints.map(({ limits }) => limits);
    const hasLimits = [total, ...limits].some((each) =>
      each.maxQps !== undefined || each.maxTpm !== undefined ||
      "maxInFlight" in each && each.maxInFlight !== undefined
    );
    const hasBudget = costTracker !== undefined && redis.budget !== undefined;
    // With nothing to share, the server is still checked, unless the cache reports that it cannot be used.
    if (!hasLimits && !hasBudget && cache) return;
    this.#pipeline.sharing.use(async (queue) => {
      const { shareLimits } = await import("./share_limits.ts");
      return await shareLimits({
        settings: redis,
        endpoints,
        limits,
        total,
        hasLimits,
        costTracker,
        ...queue,
      });
    });
  }

  /**
   * Requests one completion.
   *
   * @throws {FlexLLMError} after the retries, or immediately if retrying cannot help
   *
   * @example A structured answer, with a zod schema
   * ```ts
   * import { LLMClient } from "@flexllm/flexllm";
   * import { z } from "zod";
   *
   * await using client = new LLMClient({ provider: "mock", model: "mock" });
   * const { parsed } = await client.chatCompletions(
   *   [{ role: "user", content: "Rate this review: I liked it." }],
   *   { responseFormat: z.object({ stars: z.int() }), schemaRetries: 2 },
   * );
   * console.log(parsed?.stars);
   * ```
   */
  chatCompletions<Format extends AnyResponseFormat = ResponseFormat>(
    messages: readonly Message[],
    options: ChatOptions<Format> = {},
  ): Promise<ChatResult<Parsed<Format>>> {
    const result = this.#pipeline.complete(messages, options as ChatOptions, hooksOf(options));
    return result as Promise<ChatResult<Parsed<Format>>>;
  }

  /**
   * Requests one completion as a stream. The request is sent when the stream is first read, and retried only
   * until its first event. Later errors are thrown to the reader, with the part that arrived in `partial`.
   *
   * @throws {FlexLLMError} immediately if the messages or options are invalid
   *
   * @example
   * ```ts
   * import { LLMClient } from "@flexllm/flexllm";
   *
   * await using client = new LLMClient({ provider: "mock", model: "mock" });
   * const stream = client.chatCompletionsStream([{ role: "user", content: "Tell a story." }]);
   * for await (const text of stream) console.log(text);
   * ```
   */
  chatCompletionsStream<Format extends AnyResponseFormat = ResponseFormat>(
    messages: readonly Message[],
    options: ChatOptions<Format> = {},
  ): CompletionStream<Parsed<Format>> {
    const stream = this.#pipeline.stream(messages, options as ChatOptions, hooksOf(options));
    return stream as CompletionStream<Parsed<Format>>;
  }

  /**
   * Completes many conversations and resolves with the results in input order. A record that fails doesn't
   * stop the others: check the `status` of each item. A batch that stops early resolves with the finished
   * records and the reason in {@link BatchResult.stoppedBy}.
   *
   * @throws {FlexLLMError} if there is nothing to return: invalid options, a result file from different
   *   input, or a failure that stops the batch before the first answer
   *
   * @example
   * ```ts
   * import { LLMClient, type Message } from "@flexllm/flexllm";
   *
   * await using client = new LLMClient({ provider: "mock", model: "mock" });
   * const conversations = ["red", "green"].map((color): Message[] => [
   *   { role: "user", content: `Name three things that are ${color}.` },
   * ]);
   * const { results, summary, stoppedBy } = await client.chatCompletionsBatch(conversations);
   * for (const item of results) {
   *   console.log(item.index, item.status === "success" ? item.result.content : item.error.message);
   * }
   * console.log(summary.cost, stoppedBy?.message);
   * ```
   */
  chatCompletionsBatch<Format extends AnyResponseFormat = ResponseFormat>(
    inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
    options: BatchOptions<Format> = {},
  ): Promise<BatchResult<Parsed<Format>>> {
    const result = collectBatch(this.#batchClient, inputs, options);
    return result as Promise<BatchResult<Parsed<Format>>>;
  }

  /**
   * Completes many conversations and yields each result as it finishes. The input is read only as fast as
   * you take the results, so memory is bounded by the concurrency. Leaving the loop aborts the rest. The
   * iterator's `summary` has the counts; it is also the return value.
   *
   * @throws {FlexLLMError} if the batch stops early, after the items that finished
   *
   * @example
   * ```ts
   * import { LLMClient } from "@flexllm/flexllm";
   *
   * function* questions() {
   *   for (let i = 0; i < 5; i++) yield [{ role: "user" as const, content: `Question ${i}?` }];
   * }
   *
   * await using client = new LLMClient({ provider: "mock", model: "mock" });
   * const items = client.iterChatCompletionsBatch(questions(), { temperature: 0 });
   * for await (const item of items) console.log(item.index, item.status);
   * console.log(items.summary.succeeded);
   * ```
   */
  iterChatCompletionsBatch<Format extends AnyResponseFormat = ResponseFormat>(
    inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
    options: BatchOptions<Format> = {},
  ): BatchIterator<Parsed<Format>> {
    return iterateBatch(this.#batchClient, inputs, options) as BatchIterator<Parsed<Format>>;
  }

  /**
   * Submits many conversations as jobs of the provider's batch API and returns without waiting for them. Submits
   * what the provider's limits allow; {@link ProviderBatch.results} submits the rest as jobs end. Inputs are read
   * once, and those that are not submitted yet are kept in memory.
   *
   * Safe to call again with the same output and inputs, in any process: nothing is submitted twice, and only records
   * without an answer are submitted. To wait for the results at once, pass `via: "provider"` to
   * {@link LLMClient.chatCompletionsBatch} instead.
   *
   * @throws {ConfigurationError} if an option is invalid, the client has several endpoints, or its service has no
   *   batch API
   * @throws {JournalMismatchError} if an input differs from the one that was submitted or answered
   * @throws {FlexLLMError} if the provider refuses the jobs, or cannot be reached
   *
   * @example
   * ```ts
   * import { LLMClient, type Message } from "@flexllm/flexllm";
   *
   * await using client = new LLMClient({ provider: "mock", model: "mock" });
   * const conversations = ["red", "green"].map((color): Message[] => [
   *   { role: "user", content: `Name three things that are ${color}.` },
   * ]);
   * const batch = await client.submitBatch(conversations, { output: "answers.jsonl" });
   * for (const { job, state } of (await batch.status()).parts) console.log(job, state);
   * ```
   */
  async submitBatch<Format extends AnyResponseFormat = ResponseFormat>(
    inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
    options: SubmitBatchOptions<Format>,
  ): Promise<ProviderBatch<Parsed<Format>>> {
    const { submitBatch } = await import("../batch/submitted_batch.ts");
    const batch = submitBatch(this.#batchClient.provider, inputs, options);
    return await batch as ProviderBatch<Parsed<Format>>;
  }

  /**
   * Opens a batch whose jobs were submitted earlier: by {@link LLMClient.submitBatch}, a batch with
   * `via: "provider"`, or `flexllm batch --via provider`. Needs the client of the same server and key, but not the
   * inputs: inputs that are not in a job are submitted by {@link LLMClient.submitBatch}. Pass the options with
   * which the jobs were submitted: results are validated with `responseFormat`.
   *
   * @param output the result file of the batch
   * @throws {ConfigurationError} if an option is invalid
   * @throws {JournalError} if there is no such batch
   *
   * @example
   * ```ts
   * import { LLMClient } from "@flexllm/flexllm";
   *
   * await using client = new LLMClient({ provider: "openai", model: "gpt-4.1-mini", apiKey: "your-api-key" });
   * await using batch = await client.openBatch("answers.jsonl");
   * for await (const item of batch.results()) {
   *   console.log(item.index, item.status === "success" ? item.result.content : item.error.message);
   * }
   * ```
   */
  async openBatch<Format extends AnyResponseFormat = ResponseFormat>(
    output: string,
    options: ProviderBatchOptions<Format> = {},
  ): Promise<ProviderBatch<Parsed<Format>>> {
    const { openBatch } = await import("../batch/submitted_batch.ts");
    const batch = openBatch(this.#batchClient.provider, output, options);
    return await batch as ProviderBatch<Parsed<Format>>;
  }

  /**
   * Lists the models that the server offers, including all pages of the list. With several endpoints, lists
   * the models of all that respond, each model once.
   *
   * @throws {FlexLLMError} if no endpoint could list its models
   *
   * @example
   * ```ts
   * import { LLMClient } from "@flexllm/flexllm";
   *
   * await using client = new LLMClient({ provider: "mock", model: "mock" });
   * for (const { id } of await client.models({ timeout: 10 })) console.log(id);
   * ```
   */
  models(options: Pick<ChatOptions, "signal" | "timeout"> = {}): Promise<ModelInfo[]> {
    return this.#pipeline.models(options);
  }

  /**
   * The current state of each endpoint, in their order.
   *
   * @example
   * ```ts
   * import { LLMClient } from "@flexllm/flexllm";
   *
   * await using client = new LLMClient({ provider: "mock", model: "mock" });
   * for (const { endpoint, state, inFlight } of client.stats) console.log(endpoint, state, inFlight);
   * ```
   */
  get stats(): EndpointStats[] {
    return this.#pipeline.stats;
  }

  /**
   * Connects to the Redis server of the client, if it has one; otherwise the first request does. Safe to call twice.
   *
   * @throws {ConfigurationError} if the server cannot be used
   *
   * @example
   * ```ts
   * import { LLMClient } from "@flexllm/flexllm";
   *
   * await using client = new LLMClient({ provider: "mock", model: "mock", maxQps: 10 });
   * await client.connect();
   * ```
   */
  async connect(): Promise<void> {
    await this.#pipeline.sharing.connect();
  }

  /**
   * Aborts all requests in flight and writes pending cache entries. Never rejects; safe to call twice.
   *
   * @example
   * ```ts
   * import { LLMClient } from "@flexllm/flexllm";
   *
   * const client = new LLMClient({ provider: "mock", model: "mock", cache: true });
   * try {
   *   await client.chatCompletions([{ role: "user", content: "Hello!" }]);
   * } finally {
   *   await client.close();
   * }
   * ```
   */
  close(): Promise<void> {
    return this.#pipeline.close();
  }

  /** Closes the client at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
