/**
 * The server side of a wire format: decodes requests, encodes results, streams and errors. The mock and
 * the gateway answer with it. Pure: no I/O and no state outside of one stream.
 *
 * @module
 */
import type { StreamEvent } from "../chat/events.ts";
import type { ProviderMessage } from "../chat/messages.ts";
import type { ChatResult } from "../chat/result.ts";
import type { Json } from "../json/json.ts";
import type { Usage } from "../usage.ts";
import type { ChatRequest } from "./chat_request.ts";
import type { EventFraming } from "./event_framing.ts";

/** A path that clients send requests to. */
export interface ServerRoute {
  /** The path after the prefix. `{model}` matches the model's name, which may contain slashes. */
  path: string;
  /** The operation of a POST to it. */
  operation: "chat" | "count_tokens";
  /** Whether the answer is streamed, for formats whose path decides it. Default: `stream` in the body. */
  stream?: boolean;
}

/** The parts of a request outside its body. */
export interface RequestContext {
  operation: ServerRoute["operation"];
  /** The model, for formats that have it in the path. */
  model?: string;
  /** See {@link ServerRoute.stream}. */
  stream?: boolean;
  /** The requested API version: Anthropic's `anthropic-version`. */
  version?: string;
  /** How the events of a stream are written. Default: server-sent events. */
  framing?: EventFraming;
}

/** A decoded request. */
export interface ServerRequest {
  /** The request. Fields without an option of their own are in `options.extraBody`. */
  chat: ChatRequest;
  /** The body, since answers repeat some of its fields. */
  body: Json;
  /** Number of answers, at least 1. */
  choices: number;
  /** Alternatives per token to report log probabilities for; `undefined` if none are requested. */
  topLogprobs: number | undefined;
  /** Whether the answer may contain the text of its thinking. */
  includeThinking: boolean;
}

/** One answer. A {@link ChatResult} is one. */
export type ServerChoice =
  & Pick<
    ChatResult,
    "content" | "thinking" | "toolCalls" | "refusal" | "citations" | "logprobs" | "finishReason"
  >
  & {
    /** The stop sequence that ended the text, for formats that report it. */
    stopSequence?: string;
    /** The answer in a provider's own format. If it is this format, it is sent unchanged. */
    providerMessage?: ProviderMessage;
    /** Images in the answer, as URLs. Only for servers with {@link ProtocolServer.answersWithImages}. */
    images?: readonly string[];
    /** What another format's provider needs back in the next turn. */
    carried?: CarriedMessage;
  };

/**
 * A provider's message inside an answer of another format, so that the client sends it back with its history.
 */
export interface CarriedMessage {
  /** The text of an envelope, which goes into the format's opaque field. */
  envelope: string;
  /** Extra fields of the tool calls, in order, for formats whose calls can have any. */
  callExtras?: readonly (Json | undefined)[];
}

/** The identity of an answer. */
export interface ResponseHead {
  /** Letters and digits, unique per answer: the format adds its prefixes. */
  id: string;
  /** The model that answered. */
  model: string;
  /** Unix time in seconds. */
  created: number;
  /**
   * Whether the answer imitates the provider's own: fields that only the provider can know get made-up values,
   * such as signatures of thinking and the service tier. Otherwise they are left out, or empty where the format
   * demands them.
   */
  isSimulated?: boolean;
}

/** An answer to a request. */
export interface ServerResponse extends ResponseHead {
  choices: readonly [ServerChoice, ...ServerChoice[]];
  /** Token counts of all choices; `null` if unknown. */
  usage: Usage | null;
}

/** An event of an answer. The first piece of a tool call can have extra fields of the call. */
export type ServerAnswerEvent = StreamEvent & { callExtras?: Json };

/** One event of an encoded stream. */
export interface ServerEvent {
  /** The name, in formats that name their events. */
  event?: string;
  /** JSON, or the format's end marker. */
  data: string;
}

/** Encodes one stream. */
export interface StreamEncoder {
  /**
   * Encodes events that arrived together. The first call also encodes the start of the stream, with the
   * prompt's token count if a `usage` event is among the events. Tool calls must arrive one after the other.
   *
   * @param choice the index of the answer that they belong to (default 0)
   */
  push(events: readonly ServerAnswerEvent[], choice?: number): ServerEvent[];
  /** Encodes images in the answer, as URLs; absent if the format has none there. */
  images?(urls: readonly string[]): ServerEvent[];
  /** Encodes what the provider needs back in the next turn. Comes after the content, before `finish`. */
  carry(message: CarriedMessage): ServerEvent[];
  /** Encodes an error that ends the stream, in place of its end. */
  fail(error: ServerError): ServerEvent[];
  /**
   * Encodes the end of the stream.
   *
   * @param stopSequence see {@link ServerChoice.stopSequence}
   */
  end(stopSequence?: string): ServerEvent[];
}

/** An error to report to the client. */
export interface ServerError {
  /** HTTP status. */
  status: number;
  /** What is wrong, in the style of the API. */
  message: string;
  /** The invalid field, for formats that report it. */
  param?: string;
  /** The error code. Default: the usual one for the status. */
  code?: string | null;
  /** Seconds until a retry. */
  retryAfter?: number;
}

/** An encoded error. */
export interface ErrorResponse {
  status: number;
  /** To send in addition to {@link ProtocolServer.headers}. */
  headers: Record<string, string>;
  body: unknown;
}

/** The state of a server's limit of requests or tokens. */
export interface RequestLimit {
  /** Requests or tokens per window. */
  limit: number;
  /** What is left of them in this window. */
  remaining: number;
  /** Seconds until all of them are available again. */
  reset: number;
}

/** A model to list. */
export interface ServedModel {
  id: string;
  /** Default: the id. */
  displayName?: string;
  /** Maximum input tokens. */
  contextWindow?: number;
  /** Maximum output tokens. */
  maxOutputTokens?: number;
}

/** The server side of one wire format. */
export interface ProtocolServer {
  /** Prefixes of its paths, such as `/v1`. */
  readonly prefixes: readonly string[];
  readonly routes: readonly ServerRoute[];
  /** Whether a request on a path that formats share, such as the model list, uses this format. */
  claims(request: Request): boolean;
  /** Reads the headers and the query of a request. */
  context?(request: Request): Partial<RequestContext>;
  /** Rewrites the spellings that the API also accepts. Validating and decoding expect its result. */
  normalize?(body: Json, context: RequestContext): Json;
  /** Checks a body as strictly as the API does, and describes the first mistake in its wording. */
  validate(body: Json, context: RequestContext): ServerError | undefined;
  /** Decodes a body. Lenient: a field of the wrong type is passed on or ignored. */
  decodeRequest(body: Json, context: RequestContext): ServerRequest;
  /** Encodes a whole answer. */
  encodeResponse(response: ServerResponse, request: ServerRequest): unknown;
  /** Makes the encoder of one stream. */
  streamEncoder(head: ResponseHead, request: ServerRequest): StreamEncoder;
  /** Whether answers can contain images. */
  readonly answersWithImages?: true;
  /** Encodes the answer of a route that counts tokens; absent if the format has none. */
  encodeTokenCount?(tokens: number): unknown;
  /** Encodes an error. */
  encodeError(error: ServerError, requestId: string): ErrorResponse;
  /**
   * Encodes an error as an event that can end any stream, for streams that no encoder has begun.
   * Default: the body of {@link ProtocolServer.encodeError}.
   */
  encodeStreamError?(error: ServerError, requestId: string): ServerEvent;
  /** The HTTP status of an overloaded server. */
  readonly overloadedStatus: number;
  /**
   * Encodes the model list.
   *
   * @param query which page of it the client asks for; without it, all
   * @throws {InvalidInputError} if there is no such page
   */
  encodeModels(models: readonly ServedModel[], query?: URLSearchParams): unknown;
  /** Encodes one model. */
  encodeModel(model: ServedModel): unknown;
  /** Prefix of tool call ids, for servers that make their own. */
  readonly toolCallPrefix: string;
  /** The headers of every answer: the request id and the limits of requests and of tokens. */
  headers(
    requestId: string,
    requests?: RequestLimit,
    tokens?: RequestLimit,
  ): Record<string, string>;
}
