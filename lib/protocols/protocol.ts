/**
 * The interface of a wire format: a pure translation between our requests and results and an API. A
 * protocol never fetches, waits or keeps state between calls.
 *
 * A format is one directory that exports a {@link Protocol}, and one line in registry.ts.
 *
 * @module
 */
import type { ProviderMessage } from "../chat/messages.ts";
import type { ChatResult } from "../chat/result.ts";
import type { Usage } from "../usage.ts";
import type { StreamEvent } from "../chat/events.ts";
import type { Json } from "../json/json.ts";
import type { EncodedRequest } from "../transport/request.ts";
import type { ChatRequest } from "./chat_request.ts";
import type { RateLimitHeaders } from "./rate_limit_headers.ts";
import type { ProtocolServer } from "./serve.ts";
import type { Service } from "./service.ts";

export type { ChatRequest };

/** The server that requests go to. */
export interface Endpoint {
  /** The base URL, without a trailing slash. */
  baseUrl: string;
  /** The API key; `undefined` sends none. */
  apiKey: string | undefined;
  /** Extra headers for each request; they override the protocol's own. */
  headers: Record<string, string>;
  /** The service, by the configured name or else by the host. */
  service?: Service;
  /**
   * Whether `service` only applies to OpenAI's own models: the server is in a private network and was
   * named after OpenAI only because it speaks that format.
   */
  openaiModelsOnly?: boolean;
  /** Whether the host serves OpenAI's models under OpenAI's rules, whatever their deployments are called. */
  isOpenAIHost?: boolean;
  /** The environment variable that customarily holds the key, for hints. */
  keyVariable?: string;
}

/** A model as its server describes it. */
export interface ModelInfo {
  /** The name to use in requests. */
  id: string;
  /** The name to show to people. */
  displayName?: string;
  /** Maximum input tokens. */
  contextWindow?: number;
  /** Maximum output tokens. */
  maxOutputTokens?: number;
}

/** A request whose body is sent as a client of the same format wrote it. */
export interface RawRequest {
  operation: "chat" | "count_tokens" | "embeddings";
  /** The model, for formats that have it in the URL. */
  model: string;
  /** @default false */
  stream?: boolean;
  /** The client's headers. Those that mean something to the API are sent, never its key. */
  headers?: Headers;
  /** The client's query. Parameters that mean something to the API are sent. */
  query?: URLSearchParams;
}

/** How a protocol lists models, page by page. */
export interface ModelList {
  /** Encodes the request for one page; `cursor` is the `next` of the page before. */
  request(endpoint: Endpoint, cursor: string | undefined): EncodedRequest;
  /** Decodes one page; the last one has no `next`. */
  decode(body: unknown): { models: ModelInfo[]; next?: string };
}

/** A decoded completion, before cost, cache and latency are added. */
export type Completion =
  & Pick<
    ChatResult,
    | "content"
    | "thinking"
    | "toolCalls"
    | "usage"
    | "finishReason"
    | "model"
    | "citations"
    | "logprobs"
    | "refusal"
  >
  & {
    /** The provider's own form of the message, for the next turn; absent when the other fields say it all. */
    providerMessage?: ProviderMessage;
    /** The cost in USD, if the server itself reports it. */
    cost?: number;
    /** The service tier that was billed, as the server names it (`flex`, `priority`, …). */
    serviceTier?: string;
    /**
     * How the tokens are billed if not all at the requested model's price: parts that add up
     * to `usage`, each with the model it is billed as (default the requested one).
     */
    billed?: readonly { model?: string; usage: Usage }[];
  };

/** Decodes one stream, event by event. */
export interface StreamDecoder {
  /**
   * Decodes the data of one server-sent event and appends what it means to `events`.
   *
   * @throws {FlexLLMError} for an error object in the stream, or data that does not fit the format; nothing is
   *   appended then
   */
  push(data: string, events: StreamEvent[]): void;
  /** Whether the answer is complete: a stream that closes earlier was interrupted. */
  readonly complete: boolean;
  /** Whether nothing more will come, so that reading can stop before the connection closes. */
  readonly ended: boolean;
  /** The model as the server names it, once known. */
  readonly model: string | undefined;
  /**
   * The error that the answer ended with, and its usage. It is thrown at the end of the stream, since
   * usage comes after the finish reason.
   */
  readonly failure?: { error: ProviderError; usage: Usage | null };
  /** The cost in USD, if the server itself reports it. */
  readonly cost?: number;
  /** See {@link Completion.serviceTier}. */
  readonly serviceTier?: string;
  /** See {@link Completion.billed}. */
  readonly billed?: Completion["billed"];
  /** What the events cannot carry, such as generated images and audio: `raw` of the result. */
  readonly raw?: unknown;
  /** The provider's own form of the message, for the next turn, once it is complete. */
  providerMessage(): ProviderMessage | undefined;
}

/** The fields of an error body; empty if it says nothing. */
export interface ProviderError {
  message?: string;
  code?: string;
  /** A second error code: OpenAI's `type` next to its `code`. */
  type?: string;
  /** The model's text, if the server rejected it (Groq). */
  failedGeneration?: string;
  /** The status in the error object itself, e.g. inside a 200 answer; overrides the HTTP status. */
  status?: number;
  /** Seconds to wait, if the body says so. */
  retryAfter?: number;
  /** Whether a quota is used up that a short wait does not restore. */
  quota?: boolean;
}

/** Which URLs an API fetches itself; other URLs are downloaded and sent as data. */
export interface FetchedUrls {
  readonly image: boolean;
  readonly file: boolean;
  readonly audio: boolean;
  /** URIs of files stored at the provider, which only the provider can read. */
  readonly stored?: RegExp;
}

/**
 * Fields of a request body that don't change the answer, and are left out of cache keys: `true` for a field
 * that never does, else the values that equal leaving it out, as canonical JSON. Only list what holds for
 * every server of the format: a temperature of 1 is OpenAI's default, but not each compatible server's.
 */
export type NeutralFields = Readonly<Record<string, true | readonly string[]>>;

/** The API that a format was made for, which users select by the format's name. */
export interface OfficialApi {
  /** Its company, for menus. */
  readonly company: string;
  /** The base URL, including the version. Its host identifies the API. */
  readonly baseUrl: string;
  /** The environment variable that customarily holds the key. */
  readonly keyVariable: string;
  /** The web page that shows the balance, for hints. */
  readonly billingPage?: string;
}

/** A wire format. */
export interface Protocol<Name extends string = string> {
  /**
   * The permanent name, stored in cache keys and provider messages. Users select a format with an
   * official API by it as the provider (`claude`), other formats as the `api` option (`responses`).
   */
  readonly name: Name;
  /** The API that the format was made for; absent for formats that many services share. */
  readonly official?: OfficialApi;
  /** Matches the path of base URLs at which services of other formats also offer this one. */
  readonly pathMarker?: RegExp;
  /** Completes a base URL, e.g. with a version that users leave out. */
  completeBaseUrl?(baseUrl: string): string;
  /**
   * Whether `request` needs this format at a service that lists it in
   * {@link Service.otherProtocols}, and would fail in Chat Completions.
   */
  isRequired?(request: ChatRequest): boolean;
  /** Whether `body` is a plain answer in this format. */
  isAnswer(body: Json): boolean;
  /** Returns the encoder for one endpoint, which reuses what all requests have in common. */
  encoder(endpoint: Endpoint): (request: ChatRequest) => EncodedRequest;
  /**
   * Returns the URL and the headers for a body that is already in this format; `undefined` if the API lacks
   * the operation. Without the method, such bodies are decoded and encoded again.
   */
  rawRequest?(endpoint: Endpoint, request: RawRequest): Omit<EncodedRequest, "body"> | undefined;
  /**
   * Decodes the parsed body of a plain answer.
   *
   * @param endpoint the server that sent it, since the same text can have different meanings
   * @throws {MalformedResponseError} when it does not fit the format
   */
  decode(body: unknown, endpoint?: Endpoint): Completion;
  /** Creates the decoder of one stream; `isThinkingRequested` says whether the request enabled thinking. */
  streamDecoder(endpoint?: Endpoint, isThinkingRequested?: boolean): StreamDecoder;
  /** How models are listed. */
  readonly modelList: ModelList;
  /** Which URLs of images, files and audio the API fetches itself. */
  readonly fetchedUrls: FetchedUrls;
  /**
   * Whether tool calls have their arguments as an object, whose numbers must come out as the model wrote
   * them: `decode` then receives numbers that a double cannot hold as {@link RawNumber}s.
   */
  readonly exactNumbers?: true;
  /** The request fields that cache keys ignore. */
  readonly neutralFields: NeutralFields;
  /** The rate-limit headers that the API sends. */
  readonly rateLimitHeaders: readonly RateLimitHeaders[];
  /** The error in a parsed body; `undefined` when there is none. */
  decodeError(body: unknown): ProviderError | undefined;
  /** Loads the server side of the format; absent if the format can only be called. */
  serve?(): Promise<ProtocolServer>;
}

/** A wire format with an official API. */
export interface OfficialProtocol<Name extends string = string> extends Protocol<Name> {
  readonly official: OfficialApi;
}
