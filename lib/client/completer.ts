/**
 * Asks the endpoints of a client for completions: the way of one call, from its messages to its
 * result. {@link LLMClient} has one endpoint, {@link LLMClientPool} several.
 *
 * @module
 */
import { assistantMessage } from "../chat/assistant_message.ts";
import { type Message, messagesProblem } from "../chat/messages.ts";
import type { ChatOptions, ResponseFormat } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import { eventsOf, StreamAccumulator } from "../chat/stream_events.ts";
import { parseStructured } from "../chat/structured_output.ts";
import {
  AbortedError,
  FlexLLMError,
  InvalidInputError,
  MalformedResponseError,
  SchemaMismatchError,
} from "../errors.ts";
import type { CostTracker } from "../pricing/cost_tracker.ts";
import type { Completion, ModelInfo } from "../providers/provider.ts";
import {
  type CallHooks,
  type RunOptions,
  Scheduler,
  type SchedulerOptions,
  type Try,
} from "../scheduling/scheduler.ts";
import { CachedCalls, type CacheOptions } from "./cached_calls.ts";
import { expectTimeout } from "./client_options.ts";
import { CompletionStream } from "./completion_stream.ts";
import type { EventSource } from "./event_iterator.ts";
import { askUntilItFits } from "./schema_retry.ts";
import { type Reserved, Spending } from "./spending.ts";
import type { Answered, EndpointClient, Prepared, TryOptions } from "./endpoint_client.ts";

/** What holds for all endpoints of a client. */
export interface CompleterOptions extends SchedulerOptions {
  /** Seconds one try may take. */
  timeout: number;
  /** The same, for calls that ask for thinking. */
  thinkingTimeout: number;
  costTracker: CostTracker | undefined;
  cache: CacheOptions | undefined;
  /** Cancels everything. */
  signal: AbortSignal | undefined;
}

/** One call: what is asked, how it is scheduled and tried, and what is sent for it. */
interface Call extends RunOptions, TryOptions {
  messages: readonly Message[];
  options: ChatOptions;
  stream: boolean;
  signal: AbortSignal;
  /** For the endpoint that it was last prepared for. */
  prepared: Prepared | undefined;
  /** The size of its prompt, for the estimates of its tokens; 0 when nobody needs to know. */
  promptSize: number;
  /** What is set aside for its answer. */
  reserved: Reserved | undefined;
  /** When its last try began. */
  begun: number;
}

/** Completes conversations through one or more endpoints. */
export class Completer {
  readonly #endpoints: readonly EndpointClient[];
  readonly #scheduler: Scheduler<EndpointClient>;
  readonly #options: CompleterOptions;
  readonly #spending: Spending;
  readonly #cache: CachedCalls | undefined;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  /** The signals of calls, merged with the client's own, each once. */
  readonly #merged = new WeakMap<AbortSignal, AbortSignal>();

  constructor(endpoints: readonly EndpointClient[], options: CompleterOptions) {
    this.#endpoints = endpoints;
    this.#options = options;
    this.#scheduler = new Scheduler(endpoints, options);
    this.#spending = new Spending(endpoints, options.costTracker);
    this.#cache = options.cache && new CachedCalls(options.cache);
    const closing = this.#closing.signal;
    this.#signal = options.signal === undefined
      ? closing
      : AbortSignal.any([closing, options.signal]);
  }

  /** Asks for one completion. */
  complete(
    messages: readonly Message[],
    options: ChatOptions,
    hooks: CallHooks | undefined,
  ): Promise<ChatResult> {
    const { schemaRetries = 0 } = options;
    if (schemaRetries === 0) return this.#completeOnce(messages, options, hooks);
    const ask = (messages: readonly Message[]) => this.#completeOnce(messages, options, hooks);
    return askUntilItFits(ask, messages, schemaRetries);
  }

  #completeOnce(
    messages: readonly Message[],
    options: ChatOptions,
    hooks: CallHooks | undefined,
  ): Promise<ChatResult> {
    try {
      const call = this.#call(messages, options, hooks, false);
      const early = this.#prepareEarly(call);
      const complete = () =>
        this.#cache === undefined || options.cache === false
          ? this.#ask(call)
          : this.#askCached(call, this.#cache);
      return early instanceof Promise ? early.then(complete) : complete();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #askCached(call: Call, cache: CachedCalls): Promise<ChatResult> {
    const ways = await this.#prepareAll(call);
    const ask = async () => ({ result: await this.#ask(call), used: call.prepared! });
    return await cache.findOrAsk(ways, ask, call.signal);
  }

  /** Sends a call; what was sent is in `call.prepared` then. */
  async #ask(call: Call): Promise<ChatResult> {
    try {
      const answered = await this.#scheduler.run((given) => this.#try(call, given), call);
      const result = this.#result(call, answered.completion, answered.raw);
      return result instanceof Promise ? await result : result;
    } finally {
      this.#release(call);
    }
  }

  async #try(call: Call, { target, tokens }: Try<EndpointClient>): Promise<Answered> {
    const prepared = this.#prepare(call, target);
    const used = prepared instanceof Promise ? await prepared : prepared;
    if (this.#spending.isLimited) await this.#reserve(call, used);
    call.begun = performance.now();
    try {
      const answered = await target.complete(used, call);
      this.#spending.settle(target, call.promptSize, tokens, answered.completion.usage);
      return answered;
    } catch (error) {
      this.#release(call);
      throw error;
    }
  }

  /** Asks for one completion that arrives piece by piece; sent when it is first read. */
  stream(
    messages: readonly Message[],
    options: ChatOptions,
    hooks: CallHooks | undefined,
  ): CompletionStream {
    const call = this.#call(messages, options, hooks, true);
    // What is wrong with the call is told at once, where one endpoint alone decides that.
    const prepared = this.#prepareEarly(call);
    if (prepared instanceof Promise) prepared.catch(() => {});
    return new CompletionStream(() => this.#stream(call, prepared));
  }

  /** Lists the models of the first endpoint, all pages of them. */
  async models(options: Pick<ChatOptions, "signal" | "timeout">): Promise<ModelInfo[]> {
    const { timeout = this.#options.timeout } = options;
    const signal = this.#merge(options.signal);
    const models: ModelInfo[] = [];
    const cursors = new Set<string>();
    for (let cursor: string | undefined, page = 0; page === 0 || cursor !== undefined; page++) {
      const listed = await this.#scheduler.run(
        ({ target }) => target.modelPage(cursor, { timeout, signal }),
        { signal },
      );
      models.push(...listed.models);
      cursor = listed.next;
      if (cursor !== undefined && cursors.has(cursor)) {
        throw new MalformedResponseError(
          `the server's list of models repeats itself: it gave the page "${cursor}" twice`,
        );
      }
      if (cursor !== undefined) cursors.add(cursor);
    }
    return models;
  }

  /** Cancels what is in flight; resolves when the cache has written what it has. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#cache?.close();
  }

  #call(
    messages: readonly Message[],
    options: ChatOptions,
    hooks: CallHooks | undefined,
    stream: boolean,
  ): Call {
    if (this.#closing.signal.aborted) throw new AbortedError("the client is closed");
    const problem = messagesProblem(messages);
    if (problem !== undefined) throw new InvalidInputError(problem);
    if (options.timeout !== undefined) expectTimeout(options.timeout);
    const signal = this.#merge(options.signal);
    const { timeout, thinkingTimeout } = this.#options;
    const promptSize = this.#spending.promptSize(messages, options);
    return {
      messages,
      options,
      hooks,
      stream,
      signal,
      // Models that think are silent for longer.
      timeout: options.timeout ?? (options.thinking ? thinkingTimeout : timeout),
      prepared: undefined,
      promptSize,
      promptTokens: this.#spending.promptTokens(promptSize),
      reserved: undefined,
      begun: 0,
    };
  }

  /** Prepares a call before it is scheduled, when it is known where it will go. */
  #prepareEarly(call: Call): Prepared | undefined | Promise<Prepared> {
    return this.#endpoints.length === 1 ? this.#prepare(call, this.#endpoints[0]) : undefined;
  }

  #prepare(call: Call, endpoint: EndpointClient): Prepared | Promise<Prepared> {
    if (call.prepared?.endpoint === endpoint) return call.prepared;
    const { messages, options, stream, signal } = call;
    const prepared = endpoint.prepare(messages, options, stream, signal);
    if (!(prepared instanceof Promise)) return call.prepared = prepared;
    return prepared.then((prepared) => call.prepared = prepared);
  }

  /** All ways in which a call may be sent, one for each endpoint. */
  async #prepareAll(call: Call): Promise<Prepared[]> {
    if (call.prepared !== undefined) return [call.prepared];
    const { messages, options, stream, signal } = call;
    return await Promise.all(
      this.#endpoints.map((endpoint) => endpoint.prepare(messages, options, stream, signal)),
    );
  }

  /** Sets aside what a try can cost: until it fails, or the cost of its answer is recorded. */
  async #reserve(call: Call, prepared: Prepared): Promise<void> {
    const waitSignal = call.hooks?.waitSignal ?? call.signal;
    call.reserved = await this.#spending.reserve(prepared, call.promptSize, waitSignal);
  }

  #release(call: Call): void {
    call.reserved?.release();
    call.reserved = undefined;
  }

  async *#stream(
    call: Call,
    early: Prepared | undefined | Promise<Prepared>,
  ): EventSource {
    if (early instanceof Promise) await early;
    const cache = call.options.cache === false ? undefined : this.#cache;
    const known = await cache?.find(await this.#prepareAll(call));
    if (known !== undefined) {
      yield eventsOf(known);
      return known;
    }
    const accumulator = new StreamAccumulator();
    const held = this.#scheduler.hold((given) => this.#tryStream(call, given), call);
    try {
      const { value: { used, tokens, batches, first }, release: releaseSlot } = await held;
      let step = first;
      try {
        for (; !step.done; step = await batches.next()) {
          for (const event of step.value) accumulator.add(event);
          yield step.value;
        }
      } finally {
        await batches.return({});
        releaseSlot();
      }
      const { model = "", raw = { model }, ...end } = step.value;
      const { content, thinking, toolCalls, usage, finishReason = "other" } = accumulator;
      const { refusal, citations, logprobs } = accumulator;
      const completion: Completion = {
        content,
        thinking,
        refusal,
        citations,
        logprobs,
        toolCalls,
        usage,
        finishReason,
        model,
        ...end,
      };
      this.#spending.settle(used.endpoint, call.promptSize, tokens, usage);
      const result = await this.#result(call, completion, raw);
      await cache?.keep(used, result);
      return result;
    } catch (error) {
      if (error instanceof FlexLLMError) error.partial ??= accumulator.partial();
      throw error;
    } finally {
      this.#release(call);
    }
  }

  /** A try ends with the first event: from then on the answer is the caller's, and never repeated. */
  async #tryStream(call: Call, { target, tokens }: Try<EndpointClient>) {
    const used = await this.#prepare(call, target);
    if (this.#spending.isLimited) await this.#reserve(call, used);
    call.begun = performance.now();
    try {
      const batches = target.stream(used, call);
      return { used, tokens, batches, first: await batches.next() };
    } catch (error) {
      this.#release(call);
      throw error;
    }
  }

  /** The result of a call; at once, unless prices or a schema's validator have to be loaded. */
  #result(
    call: Call,
    completion: Completion,
    raw: unknown,
  ): ChatResult | Promise<ChatResult> {
    const latency = (performance.now() - call.begun) / 1000;
    const { endpoint, request } = call.prepared!;
    const { usage, cost } = completion;
    const result: ChatResult = {
      content: completion.content,
      thinking: completion.thinking,
      refusal: completion.refusal,
      citations: completion.citations,
      logprobs: completion.logprobs,
      toolCalls: completion.toolCalls,
      message: assistantMessage(completion),
      usage,
      cost: cost ?? null,
      finishReason: completion.finishReason,
      model: completion.model || request.model,
      endpoint: endpoint.name,
      cached: false,
      latency,
      raw,
    };
    const known = cost === undefined && usage !== null
      ? this.#spending.cost(endpoint, request.model, usage, completion)
      : result.cost;
    const isParsed = request.options.responseFormat !== undefined &&
      completion.toolCalls.length === 0;
    if (known instanceof Promise || isParsed) return this.#finishResult(call, result, known);
    result.cost = known;
    this.#spending.record(result, call.reserved);
    return result;
  }

  async #finishResult(
    { reserved, prepared }: Call,
    result: ChatResult,
    cost: Promise<number | null> | number | null,
  ): Promise<ChatResult> {
    result.cost = await cost;
    this.#spending.record(result, reserved);
    const { responseFormat } = prepared!.request.options;
    if (responseFormat !== undefined && result.toolCalls.length === 0) {
      await addParsed(result, responseFormat);
    }
    return result;
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
}

/** Parses a structured answer; what does not fit is still an answer that has been paid for. */
async function addParsed(result: ChatResult, format: ResponseFormat): Promise<void> {
  try {
    result.parsed = await parseStructured(result.content, format);
  } catch (error) {
    if (error instanceof SchemaMismatchError) error.result = result;
    throw error;
  }
}
