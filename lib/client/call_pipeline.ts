/**
 * Gets completions from the endpoints of a client: the path of one call, from its messages to its
 * result. {@link LLMClient} has one endpoint, {@link LLMClientPool} several.
 *
 * @module
 */
import { assistantMessage } from "../chat/assistant_message.ts";
import { type Message, messagesProblem } from "../chat/messages.ts";
import { normalizeMessages, normalizeOptions, toolChoiceProblem } from "../chat/normalize.ts";
import type { ChatOptions, ResponseFormat } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import { eventsOf, StreamAccumulator } from "../chat/events.ts";
import { parseStructured } from "../chat/structured_output.ts";
import {
  AbortedError,
  ConfigurationError,
  copyError,
  FlexLLMError,
  InvalidInputError,
} from "../errors.ts";
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";
import type { CostTracker } from "../pricing/cost_tracker.ts";
import type { Completion, ModelInfo } from "../protocols/protocol.ts";
import {
  type CallHooks,
  type Grant,
  Scheduler,
  type SchedulerOptions,
} from "../scheduling/scheduler.ts";
import { LinkedSignal } from "../transport/linked_signal.ts";
import { CachedCalls } from "./cached_calls.ts";
import type { CacheOptions } from "../cache/options.ts";
import { Call } from "./call.ts";
import { expectTimeout } from "./client_settings.ts";
import { CompletionStream } from "./completion_stream.ts";
import type { Answered, EncodedCall, EndpointClient } from "./endpoint_client.ts";
import type { StreamEventSource } from "./event_iterator.ts";
import { listModels } from "./list_models.ts";
import { mergeModels } from "./merge_models.ts";
import type { AttachmentOptions, LoadedFiles } from "../transport/load_file.ts";
import { retryUntilValid } from "./schema_retry.ts";
import { Metering } from "./metering.ts";

/** What holds for all endpoints of a client. */
export interface CallPipelineOptions extends SchedulerOptions {
  /** Seconds one attempt may take. */
  timeout: number;
  /** The same, for calls that ask for thinking. */
  thinkingTimeout: number;
  costTracker: CostTracker | undefined;
  cache: CacheOptions | undefined;
  attachments: AttachmentOptions | undefined;
  /** Cancels everything. */
  signal: AbortSignal | undefined;
}

/** Completes conversations through one or more endpoints. */
export class CallPipeline {
  readonly #endpoints: readonly EndpointClient[];
  readonly #scheduler: Scheduler<EndpointClient>;
  readonly #options: CallPipelineOptions;
  readonly #spending: Metering;
  readonly #cache: CachedCalls | undefined;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  /** The signals of calls in progress, linked with the client's own, each once. */
  readonly #linked = new Map<AbortSignal, { linked: LinkedSignal; calls: number }>();

  constructor(endpoints: readonly EndpointClient[], options: CallPipelineOptions) {
    this.#endpoints = endpoints;
    this.#options = options;
    this.#scheduler = new Scheduler(endpoints, { ...options, budget: options.costTracker });
    this.#spending = new Metering(endpoints, options.costTracker);
    this.#cache = options.cache && new CachedCalls(options.cache);
    const closing = this.#closing.signal;
    this.#signal = options.signal === undefined
      ? closing
      : AbortSignal.any([closing, options.signal]);
  }

  /** Requests one completion. */
  complete(
    messages: readonly Message[],
    options: ChatOptions,
    hooks: CallHooks | undefined,
  ): Promise<ChatResult> {
    const { schemaRetries = 0 } = options;
    if (schemaRetries === 0) return this.#completeOnce(messages, options, hooks);
    const loaded: LoadedFiles = new Map();
    const ask = (messages: readonly Message[]) =>
      this.#completeOnce(messages, options, hooks, loaded);
    return retryUntilValid(ask, messages, schemaRetries);
  }

  async #completeOnce(
    messages: readonly Message[],
    options: ChatOptions,
    hooks: CallHooks | undefined,
    loaded?: LoadedFiles,
  ): Promise<ChatResult> {
    const signal = this.#link(options.signal);
    try {
      const call = this.#call(messages, options, hooks, false, signal, loaded);
      const preparing = this.#prepare(call);
      if (preparing !== undefined) await preparing;
      const cache = options.cache === false ? undefined : this.#cache;
      if (cache === undefined) return await this.#send(call);
      const send = async () => ({ result: await this.#send(call), used: call.used! });
      return await cache.findOrAsk(this.#encodings(call), send, call.signal);
    } finally {
      this.#unlink(options.signal);
    }
  }

  /** Sends a call; `call.used` is then what was sent. */
  async #send(call: Call): Promise<ChatResult> {
    let result: ChatResult;
    try {
      result = await this.#scheduler.run((grant) => this.#attempt(call, grant), call);
    } catch (error) {
      throw withLostCost(error, call.lost);
    }
    return await parsed(withLost(result, call.lost), call.options.responseFormat);
  }

  async #attempt(call: Call, grant: Grant<EndpointClient>): Promise<ChatResult> {
    const { target } = grant;
    const encoded = call.encode(target);
    const loading = target.pricer === undefined ? target.loadPricer() : undefined;
    let answered: Answered;
    try {
      answered = await target.complete(encoded, call);
    } catch (error) {
      if (loading !== undefined) await loading;
      call.lost += this.#lose(call, grant, encoded, error);
      throw error;
    }
    if (loading !== undefined) await loading;
    return this.#result(call, grant, encoded, answered.completion, answered.raw);
  }

  #lose(
    call: Call,
    grant: Grant<EndpointClient>,
    { request }: EncodedCall,
    error: unknown,
    accumulator?: StreamAccumulator,
  ): number {
    const now = this.#options.clock.now();
    return this.#spending.recordLost(call, grant, request.model, error, now, accumulator);
  }

  /**
   * Requests one completion that arrives piece by piece; sent when it is first read.
   *
   * @throws {FlexLLMError} for what is wrong with the call, where one endpoint alone decides that
   */
  stream(
    messages: readonly Message[],
    options: ChatOptions,
    hooks: CallHooks | undefined,
  ): CompletionStream {
    if (options.schemaRetries) {
      throw new ConfigurationError("schemaRetries: a stream cannot be taken back", {
        hint: "Use chatCompletions, which retries until the answer matches its schema.",
      });
    }
    const linked = new LinkedSignal(this.#signal, options.signal);
    const call = this.#call(messages, options, hooks, true, linked.signal);
    const preparing = this.#prepare(call);
    preparing?.catch(() => {});
    return new CompletionStream(() => this.#stream(call, preparing, linked), linked);
  }

  /** Lists the models of all endpoints, all pages of them. */
  async models(options: Pick<ChatOptions, "signal" | "timeout">): Promise<ModelInfo[]> {
    const { timeout = this.#options.timeout } = options;
    const signal = this.#link(options.signal);
    try {
      return await mergeModels(this.#endpoints.map((endpoint) =>
        listModels((cursor) => {
          const request = () => endpoint.modelPage(cursor, { timeout, signal });
          return this.#scheduler.run(request, { signal, prepare: only(endpoint) });
        })
      ));
    } finally {
      this.#unlink(options.signal);
    }
  }

  /** Cancels what is in flight; resolves when the cache has written what it has. */
  async close(): Promise<void> {
    this.#closing.abort(new AbortedError("the client was closed"));
    await this.#cache?.close();
  }

  #call(
    given: readonly Message[],
    givenOptions: ChatOptions,
    hooks: CallHooks | undefined,
    stream: boolean,
    signal: AbortSignal,
    loaded?: LoadedFiles,
  ): Call {
    if (this.#closing.signal.aborted) throw new AbortedError("the client is closed");
    const problem = messagesProblem(given);
    if (problem !== undefined) throw new InvalidInputError(problem);
    const choiceProblem = toolChoiceProblem(givenOptions.toolChoice);
    if (choiceProblem !== undefined) throw new ConfigurationError(choiceProblem);
    const messages = normalizeMessages(given);
    const options = normalizeOptions(givenOptions);
    if (options.timeout !== undefined) expectTimeout(options.timeout);
    const { timeout, thinkingTimeout, attachments } = this.#options;
    return new Call({
      messages,
      options,
      hooks,
      stream,
      signal,
      // Models that think are silent for longer.
      timeout: options.timeout ?? (options.thinking ? thinkingTimeout : timeout),
      attachments,
      loaded,
    }, this.#spending);
  }

  /**
   * Loads what a call needs before it is scheduled: its attachments and, under a budget, prices.
   *
   * @throws {FlexLLMError} at once when the only endpoint cannot take the call
   */
  #prepare(call: Call): Promise<unknown> | undefined {
    const attachments = call.readAttachments(this.#endpoints);
    const isAlone = this.#endpoints.length === 1;
    if (attachments === undefined && isAlone) call.encode(this.#endpoints[0]);
    const unpriced = this.#spending.hasBudget
      ? this.#endpoints.filter(({ pricer }) => pricer === undefined)
      : [];
    if (attachments === undefined && unpriced.length === 0) return undefined;
    return Promise.all([attachments, ...unpriced.map((endpoint) => endpoint.loadPricer())]);
  }

  /**
   * What may be sent for a call, by the endpoints that can take it.
   *
   * @throws {FlexLLMError} when none can
   */
  #encodings(call: Call): EncodedCall[] {
    if (this.#endpoints.length === 1) return [call.encode(this.#endpoints[0])];
    const errors: unknown[] = [];
    const encodings = this.#endpoints.flatMap((endpoint) => {
      try {
        return [call.encode(endpoint)];
      } catch (error) {
        errors.push(error);
        return [];
      }
    });
    if (encodings.length === 0) throw errors[0];
    return encodings;
  }

  async *#stream(
    call: Call,
    preparing: Promise<unknown> | undefined,
    linked: LinkedSignal,
  ): StreamEventSource {
    linked.link();
    try {
      if (preparing !== undefined) await preparing;
      const cache = call.options.cache === false ? undefined : this.#cache;
      const known = await cache?.find(this.#encodings(call));
      if (known !== undefined) {
        yield eventsOf(known);
        return known;
      }
      let sent: ChatResult;
      try {
        sent = yield* this.#sendStream(call);
      } catch (error) {
        throw withLostCost(error, call.lost);
      }
      const result = await parsed(withLost(sent, call.lost), call.options.responseFormat);
      await cache?.keep(call.used!, result);
      return result;
    } finally {
      linked.unlink();
    }
  }

  async *#sendStream(call: Call): StreamEventSource {
    const attempt = (grant: Grant<EndpointClient>) => this.#openStream(call, grant);
    const { value: { grant, batches, first }, release } = await this.#scheduler.hold(attempt, call);
    const encoded = call.used!;
    const accumulator = new StreamAccumulator();
    let failure: unknown = new AbortedError();
    let isComplete = false;
    try {
      let step = first;
      for (; !step.done; step = await batches.next()) {
        for (const event of step.value) accumulator.add(event);
        yield step.value;
      }
      isComplete = true;
      const { model = "", raw = { model }, ...end } = step.value;
      const completion = { ...accumulator.completion(), model, ...end };
      return this.#result(call, grant, encoded, completion, raw);
    } catch (error) {
      failure = error;
      if (!(error instanceof FlexLLMError) || error.partial !== undefined) throw error;
      throw failure = copyError(error, { partial: accumulator.partial() });
    } finally {
      try {
        if (!isComplete) call.lost += this.#lose(call, grant, encoded, failure, accumulator);
      } finally {
        // Also when the caller's `onWarning` throws.
        await batches.return({}).finally(release);
      }
    }
  }

  /** An attempt ends with the first event: from then on it is never retried. */
  async #openStream(call: Call, grant: Grant<EndpointClient>) {
    const { target } = grant;
    const encoded = call.encode(target);
    const loading = target.pricer === undefined ? target.loadPricer() : undefined;
    try {
      const batches = target.stream(encoded, call);
      const first = await batches.next();
      if (loading !== undefined) await loading;
      return { grant, batches, first };
    } catch (error) {
      if (loading !== undefined) await loading;
      call.lost += this.#lose(call, grant, encoded, error);
      throw error;
    }
  }

  /** The result of an answer, which is recorded. */
  #result(
    call: Call,
    grant: Grant<EndpointClient>,
    { endpoint, request }: EncodedCall,
    completion: Completion,
    raw: unknown,
  ): ChatResult {
    const now = this.#options.clock.now();
    const result: ChatResult = {
      content: completion.content,
      thinking: completion.thinking,
      refusal: completion.refusal,
      citations: completion.citations,
      logprobs: completion.logprobs,
      toolCalls: completion.toolCalls,
      message: assistantMessage(completion),
      usage: completion.usage,
      cost: this.#spending.cost(endpoint, request.model, completion),
      finishReason: completion.finishReason,
      model: completion.model || request.model,
      endpoint: endpoint.name,
      cached: false,
      latency: (now - grant.at) / 1000,
      raw,
    };
    this.#spending.record(call, grant, result, now);
    return result;
  }

  /** The signal of a call together with the client's own; {@link #unlink} ends it. */
  #link(signal: AbortSignal | undefined): AbortSignal {
    if (signal === undefined) return this.#signal;
    let entry = this.#linked.get(signal);
    if (entry === undefined) {
      entry = { linked: new LinkedSignal(this.#signal, signal).link(), calls: 0 };
      this.#linked.set(signal, entry);
    }
    entry.calls++;
    return entry.linked.signal;
  }

  #unlink(signal: AbortSignal | undefined): void {
    const entry = signal && this.#linked.get(signal);
    if (entry === undefined || --entry.calls > 0) return;
    entry.linked.unlink();
    this.#linked.delete(signal!);
  }
}

/** Rejects every endpoint but one. */
function only(endpoint: EndpointClient): (target: EndpointClient) => number {
  return (target) => {
    if (target === endpoint) return 0;
    throw new ConfigurationError("this request is for another endpoint");
  };
}

/** The result, including the cost of earlier attempts. */
function withLost(result: ChatResult, lost: number): ChatResult {
  if (lost > 0 && result.cost !== null) result.cost += lost;
  return result;
}

/** The error, including the cost of all attempts. */
function withLostCost(error: unknown, lost: number): unknown {
  if (lost === 0 || !(error instanceof FlexLLMError)) return error;
  const partial = error.partial ?? { content: "", thinking: null };
  return copyError(error, { partial: { ...partial, cost: lost } });
}

/**
 * Adds the value of a structured answer. Refusals and tool calls have none.
 *
 * @throws {SchemaMismatchError} when there is none, with the answer, which has been paid for
 * @throws {ConfigurationError} when the schema cannot be used
 */
async function parsed(
  result: ChatResult,
  format: ResponseFormat | undefined,
): Promise<ChatResult> {
  if (format === undefined || result.toolCalls.length > 0) return result;
  if (result.finishReason === "content_filter") return result;
  try {
    result.parsed = await parseStructured(result.content, format);
    return result;
  } catch (error) {
    if (error instanceof SchemaMismatchError) throw copyError(error, { result });
    if (!(error instanceof FlexLLMError)) throw error;
    const { content, thinking, usage, cost } = result;
    throw copyError(error, { partial: { content, thinking, usage, cost } });
  }
}
