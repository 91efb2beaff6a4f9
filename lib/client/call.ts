/**
 * Represents one call of a client: its input, its encoding for each endpoint, and the cost of failed attempts.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { CallHooks } from "../scheduling/call_hooks.ts";
import type { RunOptions } from "../scheduling/ticket.ts";
import type { TokenDemand } from "../scheduling/token_limiter.ts";
import type { AttachmentOptions, AttachmentSource, LoadedFiles } from "../transport/load_file.ts";
import { withLostCost } from "./answer.ts";
import { hasParts } from "./attachments.ts";
import type { CallRecorder } from "./call_recorder.ts";
import type { AttemptOptions, EncodedCall, EndpointClient } from "./endpoint_client.ts";
import type { EventChannel } from "./event_channel.ts";
import type { Metering } from "./metering.ts";

/** The inputs of a call. */
export interface CallOptions {
  messages: readonly Message[];
  options: ChatOptions;
  hooks: CallHooks | undefined;
  stream: boolean;
  signal: AbortSignal;
  /** Timeout of one attempt, in seconds. */
  timeout: number;
  attachments: AttachmentOptions | undefined;
  /** Attachments that an earlier call of the same conversation loaded. */
  loaded: LoadedFiles | undefined;
  recorder: CallRecorder | undefined;
}

const NONE: readonly EndpointClient[] = [];

/** One call. Each schema retry is another one. */
export class Call implements RunOptions<EndpointClient>, AttemptOptions, AttachmentSource {
  readonly messages: readonly Message[];
  readonly options: ChatOptions;
  readonly hooks: CallHooks | undefined;
  readonly stream: boolean;
  readonly signal: AbortSignal;
  readonly timeout: number;
  readonly attachments: AttachmentOptions | undefined;
  loaded: LoadedFiles | undefined;
  readonly recorder: CallRecorder | undefined;
  /** The endpoints that need attachments to be loaded before the call is encoded. */
  readonly unloaded: readonly EndpointClient[];
  /** Where the events of a streamed call go. */
  events: EventChannel | undefined = undefined;
  /** See {@link Metering.promptSize}. */
  readonly promptSize: number;
  readonly tokens: TokenDemand | undefined;
  /** USD that servers billed, or may have billed, for failed attempts. */
  lost = 0;
  readonly #metering: Metering;
  #encoded: EncodedCall | undefined = undefined;
  /** The encodings by endpoint, once there is more than one. */
  #encodings: Map<EndpointClient, EncodedCall> | undefined = undefined;
  /** The messages with their attachments, for endpoints that need data instead of references. */
  #loadedMessages: Map<EndpointClient, readonly Message[] | Error> | undefined = undefined;

  constructor(call: CallOptions, endpoints: readonly EndpointClient[], metering: Metering) {
    this.messages = call.messages;
    this.options = call.options;
    this.hooks = call.hooks;
    this.stream = call.stream;
    this.signal = call.signal;
    this.timeout = call.timeout;
    this.attachments = call.attachments;
    this.loaded = call.loaded;
    this.recorder = call.recorder;
    this.#metering = metering;
    this.unloaded = hasParts(call.messages)
      ? endpoints.filter((endpoint) => endpoint.needsAttachments(this))
      : NONE;
    this.promptSize = metering.promptSize(call.messages, call.options);
    this.tokens = metering.demand(this);
  }

  /** The last encoding used: after an answer, the one that was sent. */
  get encoded(): EncodedCall | undefined {
    return this.#encoded;
  }

  /** Encodes the call for an endpoint. Returns its maximum cost there in USD, or 0 without a budget. */
  prepare(endpoint: EndpointClient): number {
    const { request } = this.encode(endpoint);
    return this.#metering.maxCost(this, endpoint, request.model);
  }

  /** Adds the cost of failed attempts to the error that ends the call. */
  failure(error: unknown): unknown {
    return withLostCost(error, this.lost);
  }

  /**
   * Returns the encoding for an endpoint, which is created on first use.
   *
   * @throws {FlexLLMError} if the endpoint cannot take this call
   */
  encode(endpoint: EndpointClient): EncodedCall {
    const last = this.#encoded;
    if (last?.endpoint === endpoint) return last;
    const known = this.#encodings?.get(endpoint);
    if (known !== undefined) return this.#encoded = known;
    const messages = this.#loadedMessages?.get(endpoint) ?? this.messages;
    if (messages instanceof Error) throw messages;
    const encoded = endpoint.encode(messages, this.options, this.stream);
    // Most calls use one endpoint and need no map.
    if (last !== undefined) {
      (this.#encodings ??= new Map([[last.endpoint, last]])).set(endpoint, encoded);
    }
    return this.#encoded = encoded;
  }

  /**
   * Returns the encodings for all endpoints that can take the call.
   *
   * @throws {FlexLLMError} if none can
   */
  encodeAll(endpoints: readonly EndpointClient[]): EncodedCall[] {
    if (endpoints.length === 1) return [this.encode(endpoints[0])];
    const encodings: EncodedCall[] = [];
    let firstError: unknown;
    for (const endpoint of endpoints) {
      try {
        encodings.push(this.encode(endpoint));
      } catch (error) {
        firstError ??= error;
      }
    }
    if (encodings.length === 0) throw firstError;
    return encodings;
  }

  /**
   * Loads the attachments, each file once for all endpoints. A file that cannot be loaded only makes
   * {@link Call.encode} fail, for the endpoints that need it.
   *
   * @throws {AbortedError} when the call's signal fires
   */
  async loadAttachments(): Promise<void> {
    const loaded = this.#loadedMessages = new Map<EndpointClient, readonly Message[] | Error>();
    await Promise.all(this.unloaded.map(async (endpoint) => {
      try {
        loaded.set(endpoint, await endpoint.loadAttachments(this));
      } catch (error) {
        if (this.signal.aborted) throw error;
        loaded.set(endpoint, error instanceof Error ? error : new Error(String(error)));
      }
    }));
  }
}
