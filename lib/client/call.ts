/**
 * One call of a client: its messages and options, what is sent for it to each endpoint, and what it has
 * cost so far.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { CallHooks, RunOptions } from "../scheduling/scheduler.ts";
import type { TokenDemand } from "../scheduling/token_limiter.ts";
import type { AttemptOptions, EncodedCall, EndpointClient } from "./endpoint_client.ts";
import { hasAttachments } from "./attachments.ts";
import type { AttachmentOptions, AttachmentSource, LoadedFiles } from "../transport/load_file.ts";
import type { Metering } from "./metering.ts";

/** The inputs of a call. */
export interface CallOptions {
  messages: readonly Message[];
  options: ChatOptions;
  hooks: CallHooks | undefined;
  stream: boolean;
  signal: AbortSignal;
  /** Seconds that one attempt may take. */
  timeout: number;
  attachments: AttachmentOptions | undefined;
  /** The attachments that an earlier call of the same conversation has loaded. */
  loaded: LoadedFiles | undefined;
}

/** One call. */
export class Call implements RunOptions<EndpointClient>, AttemptOptions, AttachmentSource {
  readonly messages: readonly Message[];
  readonly options: ChatOptions;
  readonly hooks: CallHooks | undefined;
  readonly stream: boolean;
  readonly signal: AbortSignal;
  readonly timeout: number;
  readonly attachments: AttachmentOptions | undefined;
  loaded: LoadedFiles | undefined;
  /** The size of its prompt, for token estimates; 0 if it is not needed. */
  readonly promptSize: number;
  readonly tokens: TokenDemand;
  readonly isPriced: boolean;
  /** What was sent last. */
  used: EncodedCall | undefined;
  /** USD that the server billed, or may have billed, for failed attempts. */
  lost = 0;
  readonly #spending: Metering;
  #encoded: Map<EndpointClient, EncodedCall> | undefined;
  /** The messages with their attachments, where an endpoint needs them read. */
  #read: Map<EndpointClient, readonly Message[] | Error> | undefined;

  constructor(call: CallOptions, spending: Metering) {
    this.messages = call.messages;
    this.options = call.options;
    this.hooks = call.hooks;
    this.stream = call.stream;
    this.signal = call.signal;
    this.timeout = call.timeout;
    this.attachments = call.attachments;
    this.loaded = call.loaded;
    this.#spending = spending;
    this.promptSize = spending.promptSize(call.messages, call.options);
    this.tokens = spending.demand(this);
    this.isPriced = spending.hasBudget;
  }

  /** Encodes the call for an endpoint, once; returns its maximum cost there, in USD. */
  readonly prepare = (endpoint: EndpointClient): number => {
    const { request } = this.encode(endpoint);
    return this.#spending.maxCost(this, endpoint, request.model);
  };

  /**
   * What is sent to an endpoint; encoded on first use.
   *
   * @throws {FlexLLMError} when the endpoint cannot take this call
   */
  encode(endpoint: EndpointClient): EncodedCall {
    if (this.used?.endpoint === endpoint) return this.used;
    const encodedBefore = this.#encoded?.get(endpoint);
    if (encodedBefore !== undefined) return this.used = encodedBefore;
    const messages = this.#read?.get(endpoint) ?? this.messages;
    if (messages instanceof Error) throw messages;
    const encoded = endpoint.encode(messages, this.options, this.stream);
    // Most calls have one endpoint, and need no map.
    if (this.used !== undefined) {
      (this.#encoded ??= new Map([[this.used.endpoint, this.used]])).set(endpoint, encoded);
    }
    return this.used = encoded;
  }

  /**
   * Reads the attachments that have to be sent as data, each once for all endpoints; `undefined` when there
   * are none.
   */
  readAttachments(endpoints: readonly EndpointClient[]): Promise<unknown> | undefined {
    if (!hasAttachments(this.messages)) return undefined;
    const read = this.#read = new Map<EndpointClient, readonly Message[] | Error>();
    const reading = endpoints.flatMap((endpoint) => {
      const messages = endpoint.readAttachments(this);
      if (!(messages instanceof Promise)) return [];
      return [messages.then((messages) => read.set(endpoint, messages), (error) => {
        if (this.signal.aborted) throw error;
        read.set(endpoint, error instanceof Error ? error : new Error(String(error)));
      })];
    });
    return reading.length === 0 ? undefined : Promise.all(reading);
  }
}
