/**
 * The client of one endpoint.
 *
 * @module
 */
import {
  type BatchItem,
  type BatchOptions,
  type BatchResult,
  collectBatch,
  iterateBatch,
} from "../batch/batch.ts";
import { assistantMessage } from "../chat/assistant_message.ts";
import { hasImagesToRead, readImages } from "../chat/images.ts";
import { type Message, messagesProblem } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { ChatResult, Usage } from "../chat/result.ts";
import { StreamAccumulator } from "../chat/stream_events.ts";
import { parseStructured } from "../chat/structured_output.ts";
import { systemClock } from "../clock.ts";
import { AbortedError, ConfigurationError, FlexLLMError, InvalidInputError } from "../errors.ts";
import { loadPricer, type Pricer } from "../pricing/price.ts";
import { decodeAnswer, readAnswer } from "../providers/answer.ts";
import type {
  ChatRequest,
  Completion,
  EncodedRequest,
  ModelInfo,
  Provider,
} from "../providers/provider.ts";
import { redact } from "../redact.ts";
import { Scheduler } from "../scheduling/scheduler.ts";
import { send } from "../transport/http.ts";
import type { BatchInput, ChatClient, RetryHooks } from "./chat_client.ts";
import { type ClientOptions, expectTimeout, withDefaults } from "./client_options.ts";
import { CompletionStream, type EventSource } from "./completion_stream.ts";
import { connect, type Connection } from "./endpoint.ts";
import { readStream, type ReadStreamOptions } from "./read_stream.ts";

/** A request, the format it is sent in, and what is sent. */
interface Call {
  request: ChatRequest;
  provider: Provider;
  /** None yet when images have to be read first. */
  encoded: EncodedRequest | undefined;
}

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
  readonly #connection: Connection;
  readonly #encoders = new Map<Provider, ReturnType<Provider["encoder"]>>();
  readonly #scheduler: Scheduler;
  readonly #model: string | undefined;
  readonly #timeout: number;
  readonly #thinkingTimeout: number;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  /** The signals of calls, merged with the client's own, each once. */
  readonly #merged = new WeakMap<AbortSignal, AbortSignal>();
  #pricer: Promise<Pricer> | undefined;

  /**
   * Makes a client; nothing is sent yet.
   *
   * @throws {ConfigurationError} when an option is wrong
   */
  constructor(options: ClientOptions) {
    const settings = withDefaults(options);
    this.#connection = connect(options);
    this.#model = settings.model;
    this.#timeout = settings.timeout;
    this.#thinkingTimeout = settings.thinkingTimeout;
    this.concurrencyLimit = settings.concurrencyLimit;
    this.#scheduler = new Scheduler({
      concurrency: settings.concurrencyLimit,
      maxQps: settings.maxQps,
      retryTimes: settings.retryTimes,
      retryDelay: settings.retryDelay,
      clock: systemClock,
      random: Math.random,
    });
    const closing = this.#closing.signal;
    this.#signal = settings.signal === undefined
      ? closing
      : AbortSignal.any([closing, settings.signal]);
  }

  /**
   * Asks for one completion.
   *
   * @throws {FlexLLMError} of the kind that fits; failures that can pass were tried again before
   */
  async chatCompletions(
    messages: readonly Message[],
    options: ChatOptions & RetryHooks = {},
  ): Promise<ChatResult> {
    const call = this.#call(messages, options, false);
    const { request, provider } = call;
    const encoded = call.encoded ?? await this.#encode(call, options.signal);
    const { endpoint, fetch } = this.#connection;
    const sendOptions = {
      fetch,
      timeout: this.#timeoutOf(options),
      signal: this.#merge(options.signal),
    };
    let begun = 0;
    const { completion, raw } = await this.#scheduler.run(async () => {
      begun = performance.now();
      const answer = await send(encoded, sendOptions);
      if (answer.status >= 400) answer.body = redact(answer.body, endpoint.apiKey);
      return decodeAnswer(provider, answer);
    }, { ...retryHooks(options), signal: sendOptions.signal });
    return await this.#result(request, completion, raw, begun);
  }

  /**
   * Asks for one completion that arrives piece by piece. It is sent when the stream is first read;
   * errors are thrown there, with what had arrived in `partial`.
   *
   * @throws {FlexLLMError} at once when the messages or options are wrong
   */
  chatCompletionsStream(
    messages: readonly Message[],
    options: ChatOptions & RetryHooks = {},
  ): CompletionStream {
    const call = this.#call(messages, options, true);
    return new CompletionStream(() => this.#stream(call, options));
  }

  /**
   * Asks for many completions and gives them in the order of the input. A record that fails does
   * not stop the others; see {@link BatchItem.status}.
   *
   * @throws {FlexLLMError} when the whole batch cannot go on: wrong options, a refused key, a
   *   checkpoint of another input
   */
  chatCompletionsBatch(
    inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
    options: BatchOptions = {},
  ): Promise<BatchResult> {
    return collectBatch(this, inputs, options);
  }

  /**
   * Asks for many completions and gives each as it finishes. Reads the input only as fast as the
   * results are taken, so memory is bounded by the concurrency. Leaving the loop cancels the rest.
   */
  iterChatCompletionsBatch(
    inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
    options: BatchOptions = {},
  ): AsyncGenerator<BatchItem, void, void> {
    return iterateBatch(this, inputs, options);
  }

  /**
   * Lists the models that the server offers, all pages of them.
   *
   * @throws {FlexLLMError} of the kind that fits
   */
  async models(options: Pick<ChatOptions, "signal" | "timeout"> = {}): Promise<ModelInfo[]> {
    const { endpoint, fetch } = this.#connection;
    const model = this.#model ?? "";
    const provider = this.#connection.providerOf({
      model,
      messages: [],
      options: {},
      stream: false,
    });
    const { timeout = this.#timeout } = options;
    const sendOptions = { fetch, timeout, signal: this.#merge(options.signal) };
    const models: ModelInfo[] = [];
    for (let cursor: string | undefined, page = 0; page === 0 || cursor !== undefined; page++) {
      const request = provider.modelList.request(endpoint, cursor);
      const body = await this.#scheduler.run(async () => {
        const answer = await send(request, sendOptions);
        if (answer.status >= 400) answer.body = redact(answer.body, endpoint.apiKey);
        return readAnswer(provider, answer);
      }, { signal: sendOptions.signal });
      const listed = provider.modelList.decode(body);
      models.push(...listed.models);
      cursor = listed.next;
    }
    return models;
  }

  /** Cancels what is in flight. Safe to call twice. */
  close(): void {
    this.#closing.abort();
  }

  /** Closes the client at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #call(messages: readonly Message[], options: ChatOptions, stream: boolean): Call {
    if (this.#closing.signal.aborted) throw new AbortedError("the client is closed");
    const problem = messagesProblem(messages);
    if (problem !== undefined) throw new InvalidInputError(problem);
    const model = options.model ?? this.#model;
    if (model === undefined) {
      throw new ConfigurationError("no model: name it in the client's or the call's options");
    }
    if (options.timeout !== undefined) expectTimeout(options.timeout);
    const request: ChatRequest = { model, messages, options, stream };
    const provider = this.#connection.providerOf(request);
    const readsImages = hasImagesToRead(messages, provider.inlineImages === true);
    return {
      request,
      provider,
      encoded: readsImages ? undefined : this.#encodeNow(request, provider),
    };
  }

  /** Encodes a call whose images had to be read first. */
  async #encode(
    { request, provider }: Call,
    signal: AbortSignal | undefined,
  ): Promise<EncodedRequest> {
    const messages = await readImages(request.messages, {
      inlineUrls: provider.inlineImages === true,
      fetch: this.#connection.fetch,
      signal: this.#merge(signal),
    });
    return this.#encodeNow({ ...request, messages }, provider);
  }

  #encodeNow(request: ChatRequest, provider: Provider): EncodedRequest {
    let encode = this.#encoders.get(provider);
    if (encode === undefined) {
      encode = provider.encoder(this.#connection.endpoint);
      this.#encoders.set(provider, encode);
    }
    return encode(request);
  }

  async *#stream(
    call: Call,
    options: ChatOptions & RetryHooks,
  ): EventSource {
    const { request, provider } = call;
    const encoded = call.encoded ?? await this.#encode(call, options.signal);
    const { endpoint, fetch } = this.#connection;
    const signal = this.#merge(options.signal);
    const readOptions: ReadStreamOptions = {
      provider,
      fetch,
      signal,
      apiKey: endpoint.apiKey,
      timeout: this.#timeoutOf(options),
    };
    let begun = 0;
    const accumulator = new StreamAccumulator();
    // A try ends with the first event: from then on the answer is the caller's, and never repeated.
    const { value: { batches, first }, release } = await this.#scheduler.hold(async () => {
      begun = performance.now();
      const batches = readStream(encoded, readOptions);
      return { batches, first: await batches.next() };
    }, { ...retryHooks(options), signal });
    let step = first;
    try {
      for (; !step.done; step = await batches.next()) {
        for (const event of step.value) {
          accumulator.add(event);
          yield event;
        }
      }
    } catch (error) {
      if (error instanceof FlexLLMError) error.partial = accumulator.partial();
      throw error;
    } finally {
      await batches.return({});
      release();
    }
    const { model = "", native, cost } = step.value;
    const { content, thinking, toolCalls, usage, finishReason = "other" } = accumulator;
    const completion = { content, thinking, toolCalls, usage, finishReason, model, native, cost };
    return await this.#result(request, completion, { model }, begun);
  }

  async #result(
    request: ChatRequest,
    completion: Completion,
    raw: unknown,
    begun: number,
  ): Promise<ChatResult> {
    const latency = (performance.now() - begun) / 1000;
    const { usage, cost } = completion;
    const { responseFormat } = request.options;
    return {
      content: completion.content,
      parsed: responseFormat !== undefined && completion.toolCalls.length === 0
        ? await parseStructured(completion.content, responseFormat)
        : undefined,
      thinking: completion.thinking,
      toolCalls: completion.toolCalls,
      message: assistantMessage(completion),
      usage,
      cost: cost ?? (usage && await this.#cost(request.model, usage)),
      finishReason: completion.finishReason,
      model: completion.model || request.model,
      endpoint: this.#connection.endpoint.baseUrl,
      cached: false,
      latency,
      raw,
    };
  }

  /** Models that think are silent for longer. */
  #timeoutOf({ timeout, thinking }: ChatOptions): number {
    return timeout ?? (thinking ? this.#thinkingTimeout : this.#timeout);
  }

  #merge(signal: AbortSignal | undefined): AbortSignal {
    if (signal === undefined) return this.#signal;
    let merged = this.#merged.get(signal);
    if (merged === undefined) {
      merged = AbortSignal.any([this.#signal, signal]);
      this.#merged.set(signal, merged);
    }
    return merged;
  }

  async #cost(model: string, usage: Usage): Promise<number | null> {
    this.#pricer ??= loadPricer(this.#connection.endpoint.baseUrl);
    return (await this.#pricer)(model, usage);
  }
}

function retryHooks({ retrySignal, onRetryWait, onRetryResume }: RetryHooks): RetryHooks {
  return { retrySignal, onRetryWait, onRetryResume };
}
