/**
 * One endpoint of a client: its server, its model, its limits. Sends one try of a request.
 *
 * @module
 */
import { withExtraBody } from "../chat/extra_body.ts";
import { hasImagesToRead, readImages } from "../chat/images.ts";
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { Usage } from "../chat/result.ts";
import type { StreamEvent } from "../chat/stream_events.ts";
import { ConfigurationError } from "../errors.ts";
import { loadPricer, type Pricer, type PriceRow } from "../pricing/price.ts";
import { decodeAnswer, readAnswer } from "../providers/answer.ts";
import type {
  ChatRequest,
  Completion,
  EncodedRequest,
  ModelInfo,
  Provider,
} from "../providers/provider.ts";
import { RateLimitReader } from "../providers/rate_limit_headers.ts";
import { redact, secretsOf, shownUrl } from "../redact.ts";
import type { Target } from "../scheduling/choose.ts";
import type { Gate } from "../scheduling/gate.ts";
import { type Answer, send } from "../transport/http.ts";
import { connect, type Connection, type EndpointOptions } from "./endpoint.ts";
import { readStream, type StreamEnd } from "./read_stream.ts";

/** What one try needs to know beside the request. */
export interface TryOptions {
  /** Seconds. */
  timeout: number;
  signal: AbortSignal;
}

/** A request, the format it is sent in, and what is sent to one endpoint. */
export interface Prepared {
  endpoint: EndpointClient;
  request: ChatRequest;
  provider: Provider;
  encoded: EncodedRequest;
}

/** An answer, read and as it came. */
export interface Answered {
  completion: Completion;
  raw: unknown;
}

/** One endpoint of a client. */
export class EndpointClient implements Target {
  readonly gate: Gate;
  readonly weight: number;
  /** The model that is asked when a call names none. */
  readonly model: string | undefined;
  /** The base URL. */
  readonly baseUrl: string;
  /** The same, without what may be secret. */
  readonly name: string;
  readonly #connection: Connection;
  readonly #secrets: readonly string[];
  readonly #encoders = new Map<Provider, ReturnType<Provider["encoder"]>>();
  readonly #limits = new RateLimitReader();
  readonly #prices: readonly PriceRow[] | undefined;
  #pricer: Pricer | Promise<Pricer> | undefined;

  /** @throws {ConfigurationError} when an option is wrong */
  constructor(
    options: EndpointOptions & { model?: string; weight?: number },
    gate: Gate,
  ) {
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
   * Encodes a request; at once, unless images have to be read first.
   *
   * @throws {FlexLLMError} when the endpoint cannot be asked this
   */
  prepare(
    messages: readonly Message[],
    options: ChatOptions,
    stream: boolean,
    signal: AbortSignal,
  ): Prepared | Promise<Prepared> {
    const model = options.model ?? this.model;
    if (model === undefined) {
      throw new ConfigurationError("no model: name it in the client's or the call's options");
    }
    const request: ChatRequest = { model, messages, options: this.#withDefaults(options), stream };
    const provider = this.#connection.providerOf(request);
    const inlineUrls = provider.inlineImages === true;
    if (!hasImagesToRead(messages, inlineUrls)) return this.#encode(request, provider);
    const { fetch } = this.#connection;
    return readImages(messages, { inlineUrls, fetch, signal })
      .then((messages) => this.#encode({ ...request, messages }, provider));
  }

  /** The options of a call, with the fields that every request to this endpoint gets. */
  #withDefaults(options: ChatOptions): ChatOptions {
    const { extraBody } = this.#connection;
    if (extraBody === undefined) return options;
    return { ...options, extraBody: withExtraBody(extraBody, options.extraBody) };
  }

  #encode(request: ChatRequest, provider: Provider): Prepared {
    let encode = this.#encoders.get(provider);
    if (encode === undefined) {
      encode = provider.encoder(this.#connection.endpoint);
      this.#encoders.set(provider, encode);
    }
    return { endpoint: this, request, provider, encoded: encode(request) };
  }

  /** Sends a request once and reads the whole answer. */
  async complete({ provider, encoded }: Prepared, options: TryOptions): Promise<Answered> {
    const answer = await send(encoded, this.#connection.fetch, options);
    if (answer.status >= 400) this.#observe(answer, undefined);
    const decoded = this.#read(
      answer,
      (answer) => decodeAnswer(provider, answer, this.#connection.endpoint),
    );
    this.#observe(answer, decoded.completion.usage ?? undefined);
    return decoded;
  }

  /** Reads an answer; an error is made again when the server shows in it what it was sent. */
  #read<T>(answer: Answer, decode: (answer: Answer) => T): T {
    try {
      return decode(answer);
    } catch (error) {
      const body = redact(answer.body, ...this.#secrets);
      if (body === answer.body) throw error;
      answer.body = body;
      return decode(answer);
    }
  }

  /** Sends a request once and yields its events in the batches in which they arrive. */
  stream(
    { provider, encoded }: Prepared,
    options: TryOptions,
  ): AsyncGenerator<StreamEvent[], StreamEnd, void> {
    return readStream(encoded, this.#connection.fetch, {
      ...options,
      provider,
      endpoint: this.#connection.endpoint,
      secrets: this.#secrets,
      onResponse: (response) => this.#observe(response, undefined),
    });
  }

  #observe(answer: { headers: Headers }, usage: Usage | undefined): void {
    if (this.#limits.isSilent) return;
    const limits = this.#limits.read(answer.headers, usage?.totalTokens, Date.now());
    if (limits !== undefined) this.gate.observe(performance.now(), limits.remaining, limits.wait);
  }

  /** One page of the models that the server offers. */
  async modelPage(
    cursor: string | undefined,
    options: TryOptions,
  ): Promise<{ models: ModelInfo[]; next?: string }> {
    const model = this.model ?? "";
    const provider = this.#connection.providerOf({
      model,
      messages: [],
      options: {},
      stream: false,
    });
    const request = provider.modelList.request(this.#connection.endpoint, cursor);
    const answer = await send(request, this.#connection.fetch, options);
    if (answer.status >= 400) this.#observe(answer, undefined);
    const { endpoint } = this.#connection;
    return provider.modelList.decode(
      this.#read(answer, (answer) => readAnswer(provider, answer, endpoint)),
    );
  }

  /** What tokens of `model` cost here; at once, but for the first time. */
  pricer(): Pricer | Promise<Pricer> {
    return this.#pricer ??= loadPricer(this.#connection.endpoint.baseUrl, this.#prices)
      .then((pricer) => this.#pricer = pricer);
  }
}
