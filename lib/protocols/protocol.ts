/**
 * What a provider is: a pure translation between our requests and results and one wire format. It
 * never fetches, waits or keeps state between calls.
 *
 * @module
 */
import type { ProviderMessage } from "../chat/messages.ts";
import type { ChatResult } from "../chat/result.ts";
import type { Usage } from "../usage.ts";
import type { StreamEvent } from "../chat/events.ts";
import type { EncodedRequest } from "../transport/request.ts";
import type { ChatRequest } from "./chat_request.ts";
import type { ProtocolServer } from "./serve.ts";
import type { Service } from "./service.ts";

export type { ChatRequest };

/** Where requests go. */
export interface Endpoint {
  /** Without a slash at the end. */
  baseUrl: string;
  apiKey: string | undefined;
  /** Headers to send beside the provider's own, which they replace. */
  headers: Record<string, string>;
  /** The service behind it, by the given name or else by the host; determined once. */
  service?: Service;
  /**
   * Whether `service` only applies to OpenAI's own models: a server in a private network that was named
   * "openai" for its format.
   */
  openaiModelsOnly?: boolean;
  /** Whether the host is OpenAI's own, or Azure's: its rules then apply to every model. */
  isOpenAIHost?: boolean;
  /** The environment variable that customarily holds the key, for hints. */
  keyVariable?: string;
}

/** What a provider tells of a model. */
export interface ModelInfo {
  /** The name to ask it by. */
  id: string;
  /** The name for people. */
  displayName?: string;
  /** Tokens that it can read. */
  contextWindow?: number;
  /** Tokens that it can write. */
  maxOutputTokens?: number;
}

/** How a provider lists its models, page by page. */
export interface ModelList {
  request(endpoint: Endpoint, cursor: string | undefined): EncodedRequest;
  decode(body: unknown): { models: ModelInfo[]; next?: string };
}

/** What one answer says, before cost, cache and latency are known. */
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
    /** The answer as it came, for the next turn; none when the other fields say all. */
    native?: ProviderMessage;
    /** The cost in USD, where the server itself reports it. */
    cost?: number;
    /** The service tier that was billed, as the server names it (`flex`, `priority`, …). */
    serviceTier?: string;
    /**
     * How the tokens are billed if not all at the requested model's price: parts that add up
     * to `usage`, each with the model it is billed as (default the requested one).
     */
    billed?: readonly { model?: string; usage: Usage }[];
  };

/** What a stream says beside its events. */
export interface StreamDecoder {
  /**
   * Decodes the data of one server-sent event.
   *
   * @throws {FlexLLMError} for an error object in the stream, or data that is not of the format
   */
  push(data: string): StreamEvent[];
  /** Whether the whole answer is there: a stream that closes before this was cut. */
  readonly complete: boolean;
  /** Whether nothing more will come, so that reading can stop before the connection closes. */
  readonly ended: boolean;
  /** The model as the server names it, once known. */
  readonly model: string | undefined;
  /**
   * The error that the answer ended with, and its usage: thrown when the stream is over, since usage comes
   * after the finish reason.
   */
  readonly failure?: { error: ProviderError; usage: Usage | null };
  /** The cost in USD, where the server itself reports it. */
  readonly cost?: number;
  /** See {@link Completion.serviceTier}. */
  readonly serviceTier?: string;
  /** See {@link Completion.billed}. */
  readonly billed?: Completion["billed"];
  /** What the events cannot carry, such as generated images and audio: `raw` of the result. */
  readonly raw?: unknown;
  /** The answer as it came, for the next turn, once it is complete. */
  native(): ProviderMessage | undefined;
}

/** What a server says in an error body; empty where it says nothing. */
export interface ProviderError {
  message?: string;
  code?: string;
  /** A second error code: OpenAI's `type` next to its `code`. */
  type?: string;
  /** What the model wrote, where the server rejected its answer (Groq). */
  failedGeneration?: string;
  /** The status that the error object itself names, e.g. inside a 200 answer; wins over HTTP's. */
  status?: number;
  /** Seconds to wait, where the body says it. */
  retryAfter?: number;
  /** Whether a quota is used up that does not come back in a moment. */
  quota?: boolean;
}

/** Which URLs a provider fetches itself; other URLs are downloaded and sent as data. */
export interface FetchedUrls {
  readonly image: boolean;
  readonly file: boolean;
  readonly audio: boolean;
  /** URIs of files that are stored at the provider, which nobody else can read. */
  readonly stored?: RegExp;
}

/** A wire format. */
export interface Protocol {
  readonly name: string;
  /** Makes the encoder for one endpoint, so that what never changes is made once. */
  encoder(endpoint: Endpoint): (request: ChatRequest) => EncodedRequest;
  /**
   * Decodes the parsed body of a plain answer.
   *
   * @param endpoint the server that sent it, since the same text can have different meanings
   * @throws {MalformedResponseError} when it is not of the format
   */
  decode(body: unknown, endpoint?: Endpoint): Completion;
  /** Makes the decoder of one stream; `isThinkingRequested` says that the request asked for thinking. */
  streamDecoder(endpoint?: Endpoint, isThinkingRequested?: boolean): StreamDecoder;
  /** How its models are listed. */
  modelList: ModelList;
  /** Which URLs of images, files and audio its servers fetch themselves. */
  readonly fetchedUrls: FetchedUrls;
  /**
   * Whether tool calls have their arguments as an object, whose numbers must come out as the model wrote
   * them: the decoder then gets those that a double would change as {@link RawNumber}s.
   */
  exactNumbers?: true;
  /** The error in a parsed body, `undefined` when there is none. */
  decodeError(body: unknown): ProviderError | undefined;
  /** Loads the server side of the format, which only servers need. */
  serve(): Promise<ProtocolServer>;
}
