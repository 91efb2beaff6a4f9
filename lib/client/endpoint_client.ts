/**
 * One endpoint of a client: its server, its model, its limits. Sends one try of a request.
 *
 * @module
 */
import { withExtraBody } from "../chat/extra_body.ts";
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { Usage } from "../usage.ts";
import type { StreamEvent } from "../chat/events.ts";
import type { Clock } from "../runtime/clock.ts";
import { ConfigurationError } from "../errors.ts";
import { loadPricer, type Pricer, type PriceRow } from "../pricing/price.ts";
import { decodeResponse, parseResponse } from "../protocols/decode_response.ts";
import type { ChatRequest, Completion, ModelInfo, Protocol } from "../protocols/protocol.ts";
import type { EncodedRequest } from "../transport/request.ts";
import { RateLimitReader } from "../protocols/rate_limit_headers.ts";
import { allRateLimitHeaders } from "../protocols/registry.ts";
import { redactAnswer, secretsOf, shownUrl } from "../redact.ts";
import type { Target } from "../scheduling/load_balancer.ts";
import type { EndpointLimits } from "../scheduling/endpoint_limits.ts";
import { type BufferedResponse, send } from "../transport/http.ts";
import { readAttachments } from "./attachments.ts";
import { connect, type Connection } from "../services/connect.ts";
import type { EndpointOptions } from "./client_options.ts";
import type { AttachmentSource } from "../transport/load_file.ts";
import { readStream, type StreamEnd } from "./read_stream.ts";

/** The context of one attempt. */
export interface AttemptOptions {
  /** Seconds. */
  timeout: number;
  signal: AbortSignal;
}

/** A request, the format it is sent in, and what is sent to one endpoint. */
export interface EncodedCall {
  endpoint: EndpointClient;
  request: ChatRequest;
  provider: Protocol;
  encoded: EncodedRequest;
}

/** An answer, read and as it came. */
export interface Answered {
  completion: Completion;
  raw: unknown;
}

/** One endpoint of a client. */
export class EndpointClient implements Target {
  readonly gate: EndpointLimits;
  readonly weight: number;
  /** The model that is asked when a call names none. */
  readonly model: string | undefined;
  /** The base URL. */
  readonly baseUrl: string;
  /** The same, without what may be secret. */
  readonly name: string;
  readonly #connection: Connection;
  readonly #secrets: readonly string[];
  readonly #encoders = new Map<Protocol, ReturnType<Protocol["encoder"]>>();
  readonly #limits = new RateLimitReader(allRateLimitHeaders());
  readonly #prices: readonly PriceRow[] | undefined;
  /** What tokens cost here, once it is loaded. */
  pricer: Pricer | undefined;
  #loading: Promise<Pricer> | undefined;
  readonly #clock: Clock;

  /** @throws {ConfigurationError} when an option is wrong */
  constructor(
    options: EndpointOptions & { model?: string; weight?: number },
    gate: EndpointLimits,
    clock: Clock,
  ) {
    this.#clock = clock;
    this.#connection = connect(options);
    this.#secrets = secretsOf(this.#connection.endpoint);
    this.gate = gate;
    this.weight = options.weight ?? 1;
    this.model = options.model;
    this.#prices = options.prices;
    this.baseUrl = this.#connection.endpoint.baseUrl;
    this.name = shownUrl(this.baseUrl);
  }

  /**
   * The messages of a call with their attachments as they are sent here; the same ones when nothing has to
   * be read.
   *
   * @throws {FlexLLMError} when an attachment cannot be read
   */
  readAttachments(
    call: AttachmentSource & Pick<ChatRequest, "messages" | "stream"> & { options: ChatOptions },
  ): readonly Message[] | Promise<readonly Message[]> {
    const { messages, options, stream } = call;
    const model = options.model ?? this.model ?? "";
    const provider = this.#connection.protocolOf({ model, messages, options, stream });
    return readAttachments(messages, provider.fetchedUrls, call);
  }

  /**
   * Encodes a request.
   *
   * @throws {FlexLLMError} when the endpoint cannot take it
   */
  encode(messages: readonly Message[], options: ChatOptions, stream: boolean): EncodedCall {
    const model = options.model ?? this.model;
    if (model === undefined) {
      throw new ConfigurationError("no model: name it in the client's or the call's options");
    }
    const request: ChatRequest = { model, messages, options: this.#withDefaults(options), stream };
    const provider = this.#connection.protocolOf(request);
    let encode = this.#encoders.get(provider);
    if (encode === undefined) {
      encode = provider.encoder(this.#connection.endpoint);
      this.#encoders.set(provider, encode);
    }
    return { endpoint: this, request, provider, encoded: encode(request) };
  }

  /** The options of a call, with the fields that every request to this endpoint gets. */
  #withDefaults(options: ChatOptions): ChatOptions {
    const { extraBody } = this.#connection;
    if (extraBody === undefined) return options;
    return { ...options, extraBody: withExtraBody(extraBody, options.extraBody) };
  }

  /** Sends a request once and reads the whole answer. */
  async complete({ provider, encoded }: EncodedCall, options: AttemptOptions): Promise<Answered> {
    const answer = await send(encoded, this.#connection.fetch, options);
    if (answer.status >= 400) this.#observe(answer, undefined);
    const { endpoint } = this.#connection;
    const decoded = this.#read(answer, (answer) => decodeResponse(provider, answer, endpoint));
    this.#observe(answer, decoded.completion.usage ?? undefined);
    return decoded;
  }

  /** Decodes an answer. Errors are made from the answer after all secrets are removed. */
  #read<T>(answer: BufferedResponse, decode: (answer: BufferedResponse) => T): T {
    try {
      return decode(answer);
    } catch {
      return decode(redactAnswer(answer, this.#secrets));
    }
  }

  /** Sends a request once and yields its events in the batches in which they arrive. */
  stream(
    { provider, request, encoded }: EncodedCall,
    options: AttemptOptions,
  ): AsyncGenerator<StreamEvent[], StreamEnd, void> {
    return readStream(encoded, this.#connection.fetch, {
      ...options,
      provider,
      isThinkingRequested: Boolean(request.options.thinking),
      endpoint: this.#connection.endpoint,
      secrets: this.#secrets,
      onResponse: (response) => this.#observe(response, undefined),
    });
  }

  #observe(answer: { headers: Headers }, usage: Usage | undefined): void {
    if (!this.#limits.wantsToRead()) return;
    const limits = this.#limits.read(answer.headers, usage?.totalTokens, Date.now());
    if (limits !== undefined) this.gate.observe(this.#clock.now(), limits.remaining, limits.wait);
  }

  /** One page of the models that the server offers. */
  async modelPage(
    cursor: string | undefined,
    options: AttemptOptions,
  ): Promise<{ models: ModelInfo[]; next?: string }> {
    const model = this.model ?? "";
    const call = { model, messages: [], options: {}, stream: false };
    const provider = this.#connection.protocolOf(call);
    const request = provider.modelList.request(this.#connection.endpoint, cursor);
    const answer = await send(request, this.#connection.fetch, options);
    if (answer.status >= 400) this.#observe(answer, undefined);
    const { endpoint } = this.#connection;
    return provider.modelList.decode(
      this.#read(answer, (answer) => parseResponse(provider, answer, endpoint)),
    );
  }

  /** Loads what tokens cost here; `pricer` is set when this resolves. */
  loadPricer(): Promise<Pricer> {
    return this.#loading ??= loadPricer(this.#connection.endpoint.baseUrl, this.#prices)
      .then((pricer) => this.pricer = pricer);
  }
}
