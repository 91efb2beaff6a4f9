/**
 * Runs every call, plain or streamed: validates it, looks it up in the cache, schedules its attempts and checks
 * the answer.
 *
 * {@link LLMClient} uses it with one endpoint, {@link LLMClientPool} with several.
 *
 * @module
 */
import type { Completions } from "../batch/completions.ts";
import type { CallContent, CallFacts, CallListener } from "../chat/call_facts.ts";
import { eventsOf } from "../chat/events.ts";
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import { AbortedError, ConfigurationError } from "../errors.ts";
import type { CostTracker } from "../pricing/cost_tracker.ts";
import type { ModelInfo } from "../protocols/protocol.ts";
import type { CallHooks } from "../scheduling/call_hooks.ts";
import { DispatchGroup, type LossCheck } from "../scheduling/dispatch_group.ts";
import type { LoadBalance } from "../scheduling/load_balancer.ts";
import { type Grant, Scheduler, type SchedulerOptions } from "../scheduling/scheduler.ts";
import { CallTrace } from "../telemetry/call_trace.ts";
import { activeTelemetry } from "../telemetry/telemetry.ts";
import type { AttachmentOptions, LoadedFiles } from "../transport/load_file.ts";
import { withParsed } from "./answer.ts";
import { attempt } from "./attempt.ts";
import { CachedCalls, type CachedCallsOptions, type SentCall } from "./cached_calls.ts";
import { Call, type CallOptions } from "./call.ts";
import { type CallObserver, CallRecorder, notify } from "./call_recorder.ts";
import { CallSignals } from "./call_signals.ts";
import { expectTimeout } from "./client_settings.ts";
import { CompletionStream } from "./completion_stream.ts";
import type { EndpointClient } from "./endpoint_client.ts";
import { type EndpointStats, endpointStats } from "./endpoint_stats.ts";
import { EventChannel } from "./event_channel.ts";
import { write } from "./event_sink.ts";
import { listModels } from "./list_models.ts";
import { mergeModels } from "./merge_models.ts";
import { Metering } from "./metering.ts";
import { normalizeCall } from "./normalize_call.ts";
import { retryUntilValid } from "./schema_retry.ts";

/** Options that apply to all endpoints of a client. */
export interface CallPipelineOptions extends SchedulerOptions {
  /** Timeout of one attempt, in seconds. */
  timeout: number;
  /** The timeout of calls that request thinking. */
  thinkingTimeout: number;
  costTracker: CostTracker | undefined;
  cache: CachedCallsOptions | undefined;
  attachments: AttachmentOptions | undefined;
  /** Aborts every call. */
  signal: AbortSignal | undefined;
}

/** What shared limits need of the queues. */
export interface QueueAccess {
  /** The number of requests that wait for an endpoint. */
  waiting: () => number;
  /** Dispatches the requests that wait. */
  dispatch: () => void;
  /** Maximum seconds that a single call waits. */
  maxWait: number;
  /** From now on, checks whether requests may keep waiting for what is shared. */
  setLossCheck: (check: LossCheck) => void;
}

/** What a call is made with, besides its messages and options. */
type CallContext =
  & Pick<CallOptions, "hooks" | "recorder" | "signal" | "stream">
  & Partial<Pick<CallOptions, "loaded">>;

/** Starts to share the limits with other processes. Returns what ends it. */
export type ShareOpener = (queue: QueueAccess) => Promise<{ close(): Promise<void> }>;

/** Completes conversations through one or more endpoints. */
export class CallPipeline implements Completions {
  /** Maximum requests in flight, over all endpoints. */
  readonly concurrencyLimit: number;
  readonly endpoints: readonly EndpointClient[];
  readonly #scheduler: Scheduler<EndpointClient>;
  readonly #group = new DispatchGroup();
  readonly #options: CallPipelineOptions;
  readonly metering: Metering;
  readonly cache: CachedCalls | undefined;
  /** Replaced, not changed: each call keeps those with which it started. */
  #observers: readonly CallObserver[] = [];
  readonly #listeners: CallListener[] = [];
  /** Texts that no listener may see. */
  readonly #secrets: readonly string[];
  readonly #closing = new AbortController();
  readonly #signals: CallSignals;
  /** The prices that a budget needs; loaded with the first call. */
  #prices: Promise<unknown> | undefined;
  #openShare: ShareOpener | undefined;
  #share: ReturnType<ShareOpener> | undefined;
  /** Sends a call once; one function for all calls. */
  readonly #attempt = (grant: Grant<EndpointClient>, call: Call): Promise<ChatResult> =>
    attempt(call, grant, this.metering, this.#options.clock);

  constructor(endpoints: readonly EndpointClient[], options: CallPipelineOptions) {
    this.endpoints = endpoints;
    this.#options = options;
    this.concurrencyLimit = endpoints.reduce((sum, { limits }) => sum + limits.maxConcurrency, 0);
    this.#scheduler = this.schedulerOf(endpoints);
    this.metering = new Metering(endpoints, options.costTracker);
    this.#secrets = endpoints.flatMap(({ secrets }) => secrets);
    this.cache = options.cache && new CachedCalls(options.cache);
    const { signal } = this.#closing;
    this.#signals = new CallSignals(
      options.signal === undefined ? signal : AbortSignal.any([signal, options.signal]),
    );
  }

  /**
   * A scheduler with the client's limits, retries and budget, for requests that only `endpoints` can take. Its
   * queue and the client's own wake each other.
   */
  schedulerOf(
    endpoints: readonly EndpointClient[],
    loadBalance: LoadBalance = this.#options.loadBalance,
  ): Scheduler<EndpointClient> {
    const { costTracker: budget } = this.#options;
    return new Scheduler(endpoints, {
      ...this.#options,
      loadBalance,
      budget,
      group: this.#group,
    });
  }

  /** Shares the limits with other processes, from the first call on. */
  share(open: ShareOpener): void {
    this.#openShare = open;
  }

  /** Whether limits are to be shared, and are not yet. */
  get hasToConnect(): boolean {
    return this.#openShare !== undefined;
  }

  /**
   * Starts to share the limits, if they are shared.
   *
   * @throws {FlexLLMError} if that is not possible; the next call tries again
   */
  async connect(): Promise<void> {
    const open = this.#openShare;
    if (open === undefined || this.#closing.signal.aborted) return;
    this.#share ??= open({
      waiting: () => this.#group.size,
      dispatch: () => this.#group.dispatch(),
      maxWait: this.#options.maxWait,
      setLossCheck: (check) => this.#group.lossOf = check,
    });
    const share = this.#share;
    try {
      await share;
      this.#openShare = undefined;
    } catch (error) {
      if (this.#share === share) this.#share = undefined;
      throw error;
    }
  }

  /** Requests that wait for an endpoint. */
  get waiting(): number {
    return this.#group.size;
  }

  /** How requests are distributed by default. */
  get loadBalance(): LoadBalance {
    return this.#options.loadBalance;
  }

  /** The current state of each endpoint, in their order. */
  get stats(): EndpointStats[] {
    const now = this.#options.clock.now();
    return this.endpoints.map((endpoint) => endpointStats(endpoint, now));
  }

  /** Calls `observer` with the facts of each call that starts from now on, when it ends. */
  observe(observer: CallObserver): void {
    this.#observers = [...this.#observers, observer];
  }

  /** Calls `listener` about each call that starts from now on. */
  listen(listener: CallListener): void {
    this.#listeners.push(listener);
  }

  /** Whether anyone listens to calls. */
  get hasListeners(): boolean {
    return this.#listeners.length > 0;
  }

  /** Reports a call that something else has made to the listeners. */
  notify(facts: CallFacts, content: Omit<CallContent, "redact">): void {
    notify(this.#listeners, this.#secrets, facts, content);
  }

  /** Requests one completion. */
  complete(
    messages: readonly Message[],
    options: ChatOptions = {},
    hooks?: CallHooks,
  ): Promise<ChatResult> {
    const recorder = this.#recorder(messages, options, hooks, false);
    if (recorder === undefined) return this.#complete(messages, options, hooks, undefined);
    return this.#completeObserved(messages, options, hooks, recorder);
  }

  // Functions with closures that most calls do not need are separate: their variables would cost each call.
  #completeObserved(
    messages: readonly Message[],
    options: ChatOptions,
    hooks: CallHooks | undefined,
    recorder: CallRecorder,
  ): Promise<ChatResult> {
    return recorder.run(() => this.#complete(messages, options, hooks, recorder));
  }

  async #complete(
    messages: readonly Message[],
    options: ChatOptions,
    hooks: CallHooks | undefined,
    recorder: CallRecorder | undefined,
  ): Promise<ChatResult> {
    const linked = this.#signals.link(options.signal);
    let result: ChatResult;
    try {
      const { signal } = linked;
      const context = { hooks, recorder, signal, stream: false };
      result = options.schemaRetries
        ? await this.#completeValid(messages, options, context, options.schemaRetries)
        : await this.#run(this.#call(messages, options, context));
    } catch (error) {
      recorder?.failed(error);
      throw error;
    } finally {
      linked.unlink();
    }
    recorder?.answered(result);
    return result;
  }

  /** Requests a completion again while it does not match its schema. */
  #completeValid(
    messages: readonly Message[],
    options: ChatOptions,
    context: CallContext,
    retries: number,
  ): Promise<ChatResult> {
    const loaded: LoadedFiles = new Map();
    const complete = (messages: readonly Message[]) =>
      this.#run(this.#call(messages, options, { ...context, loaded }));
    return retryUntilValid(complete, messages, retries);
  }

  /**
   * Requests one completion as a stream. The request is sent when the stream is first read.
   *
   * @throws {FlexLLMError} if the call is invalid at every endpoint
   */
  stream(
    messages: readonly Message[],
    options: ChatOptions = {},
    hooks?: CallHooks,
  ): CompletionStream {
    const recorder = this.#recorder(messages, options, hooks, true);
    try {
      if (options.schemaRetries) {
        throw new ConfigurationError("schemaRetries: not supported for streams", {
          hint: "A stream delivers its text before it can be checked. Use chatCompletions instead.",
        });
      }
      const linked = this.#signals.own(options.signal);
      const { signal } = linked;
      const call = this.#call(messages, options, { hooks, recorder, signal, stream: true });
      const start = () => {
        linked.link();
        const run = () => this.#run(call).finally(() => linked.unlink());
        return recorder === undefined ? run() : recorder.follow(recorder.run(run));
      };
      const events = call.events = new EventChannel(start, signal);
      const open = (onUnreadError: (error: unknown) => void) => {
        events.onUnreadError = onUnreadError;
        return events;
      };
      return new CompletionStream(open, linked);
    } catch (error) {
      recorder?.failed(error);
      throw error;
    }
  }

  /** Lists the models of all endpoints, including all pages. */
  async models(options: Pick<ChatOptions, "signal" | "timeout">): Promise<ModelInfo[]> {
    const { timeout = this.#options.timeout } = options;
    expectTimeout(timeout);
    const linked = this.#signals.link(options.signal);
    const { signal } = linked;
    try {
      return await mergeModels(this.endpoints.map((endpoint) =>
        listModels((cursor) => {
          const request = () => endpoint.modelPage(cursor, { timeout, signal });
          return this.#scheduler.run(request, { signal, prepare: only(endpoint) });
        })
      ));
    } finally {
      linked.unlink();
    }
  }

  /** Aborts every call; resolves when the cache has written its entries. */
  async close(): Promise<void> {
    this.#closing.abort(new AbortedError("the client was closed"));
    await this.cache?.close();
    await this.#share?.then((share) => share.close(), () => {});
  }

  /** What the calls cost, and their budget. */
  get costTracker(): CostTracker | undefined {
    return this.#options.costTracker;
  }

  /** Timeout of one attempt, in seconds. */
  get timeout(): number {
    return this.#options.timeout;
  }

  /** The timeout of an attempt that requests thinking, in seconds. */
  get thinkingTimeout(): number {
    return this.#options.thinkingTimeout;
  }

  /** Maximum seconds that a request waits for an endpoint. */
  get maxWait(): number {
    return this.#options.maxWait;
  }

  /** Aborts when the client is closed, or by its own signal. */
  get signal(): AbortSignal {
    return this.#signals.link(undefined).signal;
  }

  /**
   * Encodes a call that something else sends, with its attachments.
   *
   * @throws {FlexLLMError} if the call is invalid at every endpoint
   */
  async encode(messages: readonly Message[], options: ChatOptions): Promise<Call> {
    const { signal } = this;
    const context = { hooks: undefined, recorder: undefined, signal, stream: false };
    const call = this.#call(messages, options, context);
    if (this.hasToConnect) await this.connect();
    if (call.unloaded.length > 0) await call.loadAttachments();
    return call;
  }

  #recorder(
    messages: readonly Message[],
    options: ChatOptions,
    hooks: CallHooks | undefined,
    stream: boolean,
  ): CallRecorder | undefined {
    const isObserved = hooks?.onEnd !== undefined;
    const telemetry = activeTelemetry();
    if (
      !isObserved && telemetry === undefined && this.#observers.length === 0 &&
      this.#listeners.length === 0
    ) return undefined;
    const [first] = this.endpoints;
    const model = options.model ?? first.model ?? "";
    const trace = telemetry && new CallTrace(telemetry, {
      endpoint: first.identity,
      model,
      stream,
      context: hooks?.trace,
    });
    return new CallRecorder({
      observers: this.#observers,
      hooks,
      listeners: this.#listeners,
      model,
      messages,
      secrets: this.#secrets,
      clock: this.#options.clock,
      trace,
      options,
    });
  }

  /**
   * Validates and normalizes a call.
   *
   * @throws {FlexLLMError} if it is invalid at every endpoint
   */
  #call(
    given: readonly Message[],
    givenOptions: ChatOptions,
    context: CallContext,
  ): Call {
    if (this.#closing.signal.aborted) throw new AbortedError("the client is closed");
    const { messages, options } = normalizeCall(given, givenOptions);
    const { timeout, thinkingTimeout, attachments } = this.#options;
    const call = new Call(
      {
        messages,
        options,
        hooks: context.hooks,
        stream: context.stream,
        signal: context.signal,
        // Models that think are silent for longer.
        timeout: options.timeout ?? (options.thinking ? thinkingTimeout : timeout),
        attachments,
        loaded: context.loaded,
        recorder: context.recorder,
      },
      this.endpoints,
      this.metering,
    );
    if (this.endpoints.length === 1 && call.unloaded.length === 0) call.encode(this.endpoints[0]);
    return call;
  }

  /** Runs a call: loads prices and attachments, then asks the cache or the server. */
  #run(call: Call): Promise<ChatResult> {
    const isPrepared = !this.metering.hasBudget && call.unloaded.length === 0;
    return isPrepared ? this.#answer(call) : this.#prepare(call);
  }

  async #prepare(call: Call): Promise<ChatResult> {
    if (this.metering.hasBudget) await this.#loadPrices();
    if (call.unloaded.length > 0) await call.loadAttachments();
    return await this.#answer(call);
  }

  #answer(call: Call): Promise<ChatResult> {
    const { cache } = this;
    if (cache === undefined || call.options.cache === false) return this.#send(call);
    return this.#lookUp(call, cache);
  }

  /** Answers a call from the cache, or sends it. */
  async #lookUp(call: Call, cache: CachedCalls): Promise<ChatResult> {
    const { recorder } = call;
    const send = async (): Promise<SentCall> => {
      recorder?.lookedUp(false);
      const result = await this.#send(call);
      return { result, encoded: call.encoded! };
    };
    const encodings = call.encodeAll(this.endpoints);
    recorder?.lookingUp();
    const result = call.events === undefined
      ? await cache.complete(encodings, send, call.signal)
      : await cache.stream(encodings, send);
    recorder?.lookedUp(result.cached);
    if (result.cached && call.events !== undefined) await write(call.events, eventsOf(result));
    return result;
  }

  /** Sends a call, retries it, and parses a structured answer. */
  #send(call: Call): Promise<ChatResult> {
    return this.hasToConnect ? this.#connectAndSend(call) : this.#schedule(call);
  }

  async #connectAndSend(call: Call): Promise<ChatResult> {
    await this.connect();
    return await this.#schedule(call);
  }

  #schedule(call: Call): Promise<ChatResult> {
    call.recorder?.waiting();
    const answer = this.#scheduler.run(this.#attempt, call);
    const { responseFormat } = call.options;
    return responseFormat === undefined ? answer : withParsed(answer, responseFormat);
  }

  #loadPrices(): Promise<unknown> {
    return this.#prices ??= Promise.all(
      this.endpoints.map((endpoint) => endpoint.loadPricer()),
    );
  }
}

/** Prepares a request that only `endpoint` can take. */
function only(endpoint: EndpointClient): (target: EndpointClient) => number {
  return (target) => {
    if (target === endpoint) return 0;
    throw new ConfigurationError("this request is for another endpoint");
  };
}
