/**
 * Takes the calls of a client, plain or streamed: validates and normalizes them, and passes them on to be run within
 * the client's limits.
 *
 * {@link LLMClient} uses it with one endpoint, {@link LLMClientPool} with several.
 *
 * @module
 */
import type { Completions } from "../batch/completions.ts";
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import { AbortedError, ConfigurationError } from "../errors.ts";
import type { CostTracker } from "../pricing/cost_tracker.ts";
import type { ModelInfo } from "../protocols/protocol.ts";
import type { CallHooks } from "../scheduling/call_hooks.ts";
import { DispatchGroup } from "../scheduling/dispatch_group.ts";
import type { LoadBalance } from "../scheduling/load_balancer.ts";
import { Scheduler, type SchedulerOptions } from "../scheduling/scheduler.ts";
import type { AttachmentOptions, LoadedFiles } from "../transport/load_file.ts";
import { CachedCalls, type CachedCallsOptions } from "./cached_calls.ts";
import { Call, type CallOptions } from "./call.ts";
import { CallListeners } from "./call_listeners.ts";
import type { CallRecorder } from "./call_recorder.ts";
import { CallRunner } from "./call_runner.ts";
import { CallSignals } from "./call_signals.ts";
import { expectTimeout } from "./client_settings.ts";
import { CompletionStream } from "./completion_stream.ts";
import type { EndpointClient } from "./endpoint_client.ts";
import { modelsOf } from "./endpoint_models.ts";
import { type EndpointStats, endpointStats } from "./endpoint_stats.ts";
import { EventChannel } from "./event_channel.ts";
import { LimitSharing } from "./limit_sharing.ts";
import { Metering } from "./metering.ts";
import { normalizeCall } from "./normalize_call.ts";
import { retryUntilValid } from "./schema_retry.ts";

/** Options that apply to all endpoints of a client. */
export interface CallPipelineOptions extends SchedulerOptions {
  /** Timeout of one attempt, in seconds. */
  timeout: number;
  /** Timeout of an attempt that requests thinking, in seconds. */
  thinkingTimeout: number;
  /** What the calls cost, and their budget. */
  costTracker: CostTracker | undefined;
  cache: CachedCallsOptions | undefined;
  attachments: AttachmentOptions | undefined;
  /** Aborts every call. */
  signal: AbortSignal | undefined;
}

/** What a call is made with, besides its messages and options. */
type CallContext =
  & Pick<CallOptions, "hooks" | "recorder" | "signal" | "stream">
  & Partial<Pick<CallOptions, "loaded">>;

/** Completes conversations through one or more endpoints. */
export class CallPipeline implements Completions {
  /** Maximum requests in flight, over all endpoints. */
  readonly concurrencyLimit: number;
  readonly endpoints: readonly EndpointClient[];
  readonly options: Readonly<CallPipelineOptions>;
  readonly metering: Metering;
  readonly cache: CachedCalls | undefined;
  readonly sharing: LimitSharing;
  readonly listeners: CallListeners;
  readonly #scheduler: Scheduler<EndpointClient>;
  readonly #group = new DispatchGroup();
  readonly #closing = new AbortController();
  readonly #signals: CallSignals;
  readonly #runner: CallRunner;

  constructor(endpoints: readonly EndpointClient[], options: CallPipelineOptions) {
    this.endpoints = endpoints;
    this.options = options;
    this.concurrencyLimit = endpoints.reduce((sum, { limits }) => sum + limits.maxConcurrency, 0);
    this.#scheduler = this.schedulerOf(endpoints);
    this.metering = new Metering(endpoints, options.costTracker);
    this.cache = options.cache && new CachedCalls(options.cache);
    this.listeners = new CallListeners(endpoints, options.clock);
    const { signal } = this.#closing;
    this.sharing = new LimitSharing(this.#group, options.maxWait, signal);
    this.#runner = new CallRunner({
      endpoints,
      scheduler: this.#scheduler,
      sharing: this.sharing,
      metering: this.metering,
      cache: this.cache,
      clock: options.clock,
    });
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
    loadBalance: LoadBalance = this.options.loadBalance,
  ): Scheduler<EndpointClient> {
    const { costTracker: budget } = this.options;
    return new Scheduler(endpoints, {
      ...this.options,
      loadBalance,
      budget,
      group: this.#group,
    });
  }

  /** Requests that wait for an endpoint. */
  get waiting(): number {
    return this.#group.size;
  }

  /** The current state of each endpoint, in their order. */
  get stats(): EndpointStats[] {
    const now = this.options.clock.now();
    return this.endpoints.map((endpoint) => endpointStats(endpoint, now));
  }

  /** Requests one completion. */
  complete(
    messages: readonly Message[],
    options: ChatOptions = {},
    hooks?: CallHooks,
  ): Promise<ChatResult> {
    const recorder = this.listeners.recorder(messages, options, hooks, false);
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
        : await this.#runner.run(this.#call(messages, options, context));
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
      this.#runner.run(this.#call(messages, options, { ...context, loaded }));
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
    const recorder = this.listeners.recorder(messages, options, hooks, true);
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
        const run = () => this.#runner.run(call).finally(() => linked.unlink());
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
    const { timeout = this.options.timeout } = options;
    expectTimeout(timeout);
    const linked = this.#signals.link(options.signal);
    const { signal } = linked;
    try {
      return await modelsOf(this.endpoints, this.#scheduler, { timeout, signal });
    } finally {
      linked.unlink();
    }
  }

  /** Aborts every call; resolves when the cache has written its entries. */
  async close(): Promise<void> {
    this.#closing.abort(new AbortedError("the client was closed"));
    await this.cache?.close();
    await this.sharing.close();
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
    if (this.sharing.isPending) await this.sharing.connect();
    if (call.unloaded.length > 0) await call.loadAttachments();
    return call;
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
    const { timeout, thinkingTimeout, attachments } = this.options;
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
}
