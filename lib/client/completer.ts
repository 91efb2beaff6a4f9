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
import { AbortedError, FlexLLMError, InvalidInputError, SchemaMismatchError } from "../errors.ts";
import type { CostTracker } from "../pricing/cost_tracker.ts";
import type { Completion, ModelInfo } from "../providers/provider.ts";
import {
  type CallHooks,
  type RunOptions,
  Scheduler,
  type SchedulerOptions,
} from "../scheduling/scheduler.ts";
import { CachedCalls, type CacheOptions } from "./cached_calls.ts";
import { expectTimeout } from "./client_options.ts";
import { CompletionStream, type EventSource } from "./completion_stream.ts";
import { askUntilItFits } from "./schema_retry.ts";
import { type Reserved, Spending } from "./spending.ts";
import type { EndpointClient, Prepared, TryOptions } from "./endpoint_client.ts";

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

/** One call, and what is sent for it to the endpoint that it was last prepared for. */
interface Call {
  messages: readonly Message[];
  options: ChatOptions;
  hooks: CallHooks | undefined;
  stream: boolean;
  signal: AbortSignal;
  prepared: Prepared | undefined;
  /** The size of its prompt, for the estimates of its tokens; 0 when nobody needs to know. */
  promptSize: number;
  /** What is set aside for its answer. */
  reserved: Reserved | undefined;
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
    const ask = (messages: readonly Message[]) => this.#completeOnce(messages, options, hooks);
    return schemaRetries === 0 ? ask(messages) : askUntilItFits(ask, messages, schemaRetries);
  }

  async #completeOnce(
    messages: readonly Message[],
    options: ChatOptions,
    hooks: CallHooks | undefined,
  ): Promise<ChatResult> {
    const call = this.#call(messages, options, hooks, false);
    const early = this.#prepareEarly(call);
    if (early instanceof Promise) await early;
    if (this.#cache === undefined || options.cache === false) return await this.#ask(call);
    const ways = await this.#prepareAll(call);
    const ask = async () => ({ result: await this.#ask(call), used: call.prepared! });
    return await this.#cache.findOrAsk(ways, ask, call.signal);
  }

  /** Sends a call; what was sent is in `call.prepared` then. */
  async #ask(call: Call): Promise<ChatResult> {
    const tryOptions = this.#tryOptions(call);
    let begun = 0;
    try {
      const { completion, raw } = await this.#scheduler.run(async ({ target, tokens }) => {
        const prepared = this.#prepare(call, target);
        const used = prepared instanceof Promise ? await prepared : prepared;
        const answered = await this.#spend(call, used, () => {
          begun = performance.now();
          return target.complete(used, tryOptions);
        });
        this.#spending.settle(target, call.promptSize, tokens, answered.completion.usage);
        return answered;
      }, this.#runOptions(call));
      const result = this.#result(call, completion, raw, begun);
      return result instanceof Promise ? await result : result;
    } finally {
      call.reserved?.release();
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
    for (let cursor: string | undefined, page = 0; page === 0 || cursor !== undefined; page++) {
      const listed = await this.#scheduler.run(
        ({ target }) => target.modelPage(cursor, { timeout, signal }),
        { signal },
      );
      models.push(...listed.models);
      cursor = listed.next;
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
    const promptSize = this.#spending.promptSize(messages, options);
    return {
      messages,
      options,
      hooks,
      stream,
      signal,
      prepared: undefined,
      promptSize,
      reserved: undefined,
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

  #tryOptions({ options, signal }: Call): TryOptions {
    const { timeout, thinkingTimeout } = this.#options;
    // Models that think are silent for longer.
    return { timeout: options.timeout ?? (options.thinking ? thinkingTimeout : timeout), signal };
  }

  /** Makes a try with what it can cost set aside; for an answer until its cost is recorded. */
  #spend<R>(call: Call, prepared: Prepared, attempt: () => Promise<R>): Promise<R> {
    return this.#spending.isLimited ? this.#spendLimited(call, prepared, attempt) : attempt();
  }

  async #spendLimited<R>(call: Call, prepared: Prepared, attempt: () => Promise<R>): Promise<R> {
    const { hooks, signal, promptSize } = call;
    const waitSignal = hooks?.waitSignal ?? signal;
    const reserved = await this.#spending.reserve(prepared, promptSize, waitSignal);
    try {
      const answer = await attempt();
      call.reserved = reserved;
      return answer;
    } catch (error) {
      reserved.release();
      throw error;
    }
  }

  #runOptions({ hooks, signal, promptSize }: Call): RunOptions {
    return { signal, hooks, promptTokens: this.#spending.promptTokens(promptSize) };
  }

  async *#stream(
    call: Call,
    early: Prepared | undefined | Promise<Prepared>,
  ): EventSource {
    if (early instanceof Promise) await early;
    const cache = call.options.cache === false ? undefined : this.#cache;
    const known = await cache?.find(await this.#prepareAll(call));
    if (known !== undefined) {
      yield* eventsOf(known);
      return known;
    }
    const tryOptions = this.#tryOptions(call);
    let begun = 0;
    const accumulator = new StreamAccumulator();
    // A try ends with the first event: from then on the answer is the caller's, and never repeated.
    const held = this.#scheduler.hold(async ({ target, tokens }) => {
      const used = await this.#prepare(call, target);
      return await this.#spend(call, used, async () => {
        begun = performance.now();
        const batches = target.stream(used, tryOptions);
        return { used, tokens, batches, first: await batches.next() };
      });
    }, this.#runOptions(call));
    try {
      const { value: { used, tokens, batches, first }, release: releaseSlot } = await held;
      let step = first;
      try {
        for (; !step.done; step = await batches.next()) {
          for (const event of step.value) {
            accumulator.add(event);
            yield event;
          }
        }
      } finally {
        await batches.return({});
        releaseSlot();
      }
      const { model = "", native, cost } = step.value;
      const { content, thinking, toolCalls, usage, finishReason = "other" } = accumulator;
      const completion = { content, thinking, toolCalls, usage, finishReason, model, native, cost };
      this.#spending.settle(used.endpoint, call.promptSize, tokens, usage);
      const result = await this.#result(call, completion, { model }, begun);
      await cache?.keep(used, result);
      return result;
    } catch (error) {
      if (error instanceof FlexLLMError) error.partial ??= accumulator.partial();
      throw error;
    } finally {
      call.reserved?.release();
    }
  }

  /** The result of a call; at once, unless prices or a schema's validator have to be loaded. */
  #result(
    call: Call,
    completion: Completion,
    raw: unknown,
    begun: number,
  ): ChatResult | Promise<ChatResult> {
    const latency = (performance.now() - begun) / 1000;
    const { endpoint, request } = call.prepared!;
    const { usage, cost } = completion;
    const result: ChatResult = {
      content: completion.content,
      thinking: completion.thinking,
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
      ? this.#spending.cost(endpoint, request.model, usage)
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
