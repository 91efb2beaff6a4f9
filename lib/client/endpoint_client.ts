/**
 * Encodes calls for the server of one endpoint, and sends single attempts.
 *
 * @module
 */
import { withExtraBody } from "../chat/extra_body.ts";
import { withoutLimits } from "../chat/max_tokens.ts";
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import { Lazy } from "../runtime/lazy.ts";
import type { Usage } from "../usage.ts";
import type { Clock } from "../runtime/clock.ts";
import { ConfigurationError } from "../errors.ts";
import { loadBatchPricer, loadPricer, type Pricer, type PriceRow } from "../pricing/price.ts";
import { decodeResponse, parseResponse } from "../protocols/decode_response.ts";
import type { ChatRequest, Completion, Protocol } from "../protocols/protocol.ts";
import type { EncodedRequest } from "../transport/request.ts";
import { RateLimitReader } from "../protocols/rate_limit_headers.ts";
import { allRateLimitHeaders } from "../protocols/registry.ts";
import { redactAnswer, secretsOf, shownUrl } from "../redact.ts";
import type { Target } from "../scheduling/load_balancer.ts";
import type { EndpointLimits } from "../scheduling/endpoint_limits.ts";
import { type BufferedResponse, send } from "../transport/http.ts";
import { loadAttachments, needsAttachments } from "./attachments.ts";
import { connect, type Connection } from "../services/connect.ts";
import type { EndpointOptions } from "./client_options.ts";
import { type EndpointIdentity, endpointIdentity } from "../telemetry/request_attributes.ts";
import type { AttachmentSource } from "../transport/load_file.ts";
import type { ModelPage } from "./list_models.ts";
import type { EventSink } from "./event_sink.ts";
import { readStream, type StreamEnd } from "./read_stream.ts";

/** The context of one attempt. */
export interface AttemptOptions {
  /** Seconds. */
  timeout: number;
  signal: AbortSignal;
  /** Records the head of the response, if the call is observed. */
  recorder?: { responded(response: { status: number; headers: Headers }): void };
}

/** A call, encoded for one endpoint. */
export interface EncodedCall {
  endpoint: EndpointClient;
  request: ChatRequest;
  provider: Protocol;
  encoded: EncodedRequest;
}

/** A decoded answer. */
export interface Answered {
  completion: Completion;
  /** The answer as the server sent it. */
  raw: unknown;
}

type CallWithAttachments = Pick<ChatRequest, "messages" | "stream"> & { options: ChatOptions };

/** The formats of OpenAI, which others speak as well. */
const DIALECTS: ReadonlySet<string> = new Set(["chat", "responses"]);

/** One endpoint of a client. */
export class EndpointClient implements Target {
  readonly limits: EndpointLimits;
  readonly weight: number;
  /** The model for calls that don't name one. */
  readonly model: string | undefined;
  /** The base URL. */
  readonly baseUrl: string;
  /** The base URL without any secrets, for messages and results. */
  readonly name: string;
  /** The name by which routes of a gateway refer to it. */
  readonly routeName: string | undefined;
  readonly connection: Connection;
  /** Texts that must not be shown. */
  readonly secrets: readonly string[];
  readonly #encoders = new Map<Protocol, ReturnType<Protocol["encoder"]>>();
  readonly #rateLimits = new RateLimitReader(allRateLimitHeaders());
  /** The user's prices. */
  readonly prices: readonly PriceRow[] | undefined;
  /** The prices of this server; `undefined` until {@link EndpointClient.loadPricer} has loaded them. */
  pricer: Pricer | undefined;
  readonly #loading = new Lazy(async () =>
    this.pricer = await loadPricer(this.connection.endpoint.baseUrl, this.prices)
  );
  #identity: EndpointIdentity | undefined;
  readonly #options: ConstructorParameters<typeof EndpointClient>[0];
  readonly #clock: Clock;

  /** @throws {ConfigurationError} if an option is wrong */
  constructor(
    options: EndpointOptions & { name?: string; model?: string; weight?: number },
    limits: EndpointLimits,
    clock: Clock,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.connection = connect(options);
    this.secrets = secretsOf(this.connection.endpoint);
    this.limits = limits;
    this.weight = options.weight ?? 1;
    this.model = options.model;
    this.prices = options.prices;
    this.baseUrl = this.connection.endpoint.baseUrl;
    this.name = shownUrl(this.baseUrl);
    this.routeName = options.name ?? options.model;
  }

  /**
   * Another model at the same server, with the same key. It shares the limits, but not the health: see
   * {@link EndpointLimits.forAnotherModel}.
   */
  withModel(model: string): EndpointClient {
    const options = { ...this.#options, name: this.routeName, model };
    return new EndpointClient(options, this.limits.forAnotherModel(), this.#clock);
  }

  /** The endpoint, as spans describe it. */
  get identity(): EndpointIdentity {
    return this.#identity ??= endpointIdentity(this.#serviceName, this.name);
  }

  get #serviceName(): string | undefined {
    const { service } = this.connection.endpoint;
    if (service !== undefined) return service.name;
    const { name } = this.protocolOf({ messages: [], options: {}, stream: false });
    return DIALECTS.has(name) ? undefined : name;
  }

  /** Whether a call's attachments must be loaded before it is encoded. */
  needsAttachments(call: CallWithAttachments): boolean {
    return needsAttachments(call.messages, this.protocolOf(call).fetchedUrls);
  }

  /**
   * Returns the messages of a call with their attachments as this endpoint's encoder expects them.
   *
   * @throws {FlexLLMError} if an attachment cannot be loaded
   */
  loadAttachments(call: CallWithAttachments & AttachmentSource): Promise<readonly Message[]> {
    return loadAttachments(call.messages, this.protocolOf(call).fetchedUrls, call);
  }

  /** The wire format of a call. */
  protocolOf({ messages, options, stream }: CallWithAttachments): Protocol {
    const model = options.model ?? this.model ?? "";
    return this.connection.protocolOf({ model, messages, options, stream });
  }

  /**
   * Encodes a request.
   *
   * @throws {FlexLLMError} if the endpoint cannot take it
   */
  encode(messages: readonly Message[], options: ChatOptions, stream: boolean): EncodedCall {
    const model = options.model ?? this.model;
    if (model === undefined) {
      throw new ConfigurationError("no model: set it in the options of the client or of the call");
    }
    const request: ChatRequest = { model, messages, options: this.#withDefaults(options), stream };
    const provider = this.connection.protocolOf(request);
    let encode = this.#encoders.get(provider);
    if (encode === undefined) {
      encode = provider.encoder(this.connection.endpoint);
      this.#encoders.set(provider, encode);
    }
    return { endpoint: this, request, provider, encoded: encode(request) };
  }

  /** Adds the fields that every request to this endpoint gets. A limit of the request replaces the endpoint's. */
  #withDefaults(options: ChatOptions): ChatOptions {
    const { extraBody } = this.connection;
    if (extraBody === undefined) return options;
    const defaults = options.maxTokens === undefined ? extraBody : withoutLimits(extraBody);
    return { ...options, extraBody: withExtraBody(defaults, options.extraBody) };
  }

  /** Sends a request once and reads its response. */
  send({ encoded }: EncodedCall, options: AttemptOptions): Promise<BufferedResponse> {
    return send(encoded, this.connection.fetch, options);
  }

  /**
   * Decodes the response to a request.
   *
   * @throws {FlexLLMError} if it is not an answer
   */
  answer({ provider }: EncodedCall, response: BufferedResponse): Answered {
    if (response.status >= 400) this.observe(response, undefined);
    const { endpoint } = this.connection;
    const decoded = this.read(response, (shown) => decodeResponse(provider, shown, endpoint));
    this.observe(response, decoded.completion.usage ?? undefined);
    return decoded;
  }

  /** Decodes an answer. If that fails, decodes a redacted copy, so that the error shows no secrets. */
  read<T>(answer: BufferedResponse, decode: (answer: BufferedResponse) => T): T {
    try {
      return decode(answer);
    } catch {
      return decode(redactAnswer(answer, this.secrets));
    }
  }

  /** Sends a request once and pushes its events to `sink`, as {@link readStream} does. */
  stream(
    { provider, request, encoded }: EncodedCall,
    options: AttemptOptions,
    sink: EventSink,
  ): Promise<StreamEnd> {
    const reading = {
      timeout: options.timeout,
      signal: options.signal,
      provider,
      isThinkingRequested: Boolean(request.options.thinking),
      endpoint: this.connection.endpoint,
      secrets: this.secrets,
      onResponse: (response: Response) => {
        options.recorder?.responded(response);
        this.observe(response, undefined);
      },
    };
    return readStream(encoded, this.connection.fetch, reading, sink);
  }

  /** Learns the server's rate limits from the headers of an answer. */
  observe(answer: { headers: Headers }, usage: Usage | undefined): void {
    if (!this.#rateLimits.wantsToRead()) return;
    const limit = this.#rateLimits.read(answer.headers, usage?.totalTokens, Date.now());
    if (limit !== undefined) this.limits.observe(this.#clock.now(), limit.remaining, limit.wait);
  }

  /** Fetches one page of the server's list of models. */
  async modelPage(cursor: string | undefined, options: AttemptOptions): Promise<ModelPage> {
    const model = this.model ?? "";
    const call = { model, messages: [], options: {}, stream: false };
    const provider = this.connection.protocolOf(call);
    const request = provider.modelList.request(this.connection.endpoint, cursor);
    const answer = await send(request, this.connection.fetch, options);
    if (answer.status >= 400) this.observe(answer, undefined);
    const { endpoint } = this.connection;
    return provider.modelList.decode(
      this.read(answer, (answer) => parseResponse(provider, answer, endpoint)),
    );
  }

  /** Loads the prices of this server, once, and sets {@link EndpointClient.pricer}. */
  loadPricer(): Promise<Pricer> {
    return this.#loading.get();
  }

  /** Loads the prices of this server's batch API. */
  loadBatchPricer(): Promise<Pricer> {
    return loadBatchPricer(this.connection.endpoint.baseUrl, this.prices);
  }
}
