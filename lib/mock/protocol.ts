/**
 * What the mock knows about a protocol: how to check and read requests, and how to write answers, streams
 * and errors.
 *
 * @module
 */
import type { Json } from "../json/json.ts";
import type { MockAnswer } from "./mock_answer.ts";
import type { MockRequest } from "./mock_request.ts";

/** An error answer, before a protocol gives it its form. */
export interface MockError {
  /** The HTTP status. */
  status: number;
  /** What is wrong, in the words of the API. */
  message: string;
  /** The field at fault, where the protocol has a place for it. */
  param?: string;
  /** The error code, where it is not the usual one of the status. */
  code?: string | null;
  /** Milliseconds until a retry. */
  retryAfter?: number;
}

/** The state of a server's request limit. */
export interface RequestLimit {
  /** Requests per second. */
  limit: number;
  /** How many more are allowed in this second. */
  remaining: number;
  /** Seconds until all of them are available again. */
  reset: number;
}

/** One event of a stream. */
export interface MockEvent {
  /** The name, where the protocol has names. */
  event?: string;
  data: string;
  /** Whether it carries a token, which takes time to write. */
  token?: true;
}

/** The parts of a request outside its body, and how strictly it is checked. */
export interface CallContext {
  /** The model, where the path names it. */
  model?: string;
  /** Whether to stream, where the path says so. */
  stream?: boolean;
  /** Accept bodies that the real API refuses. */
  lenient?: boolean;
  /** The API version that the client requests: Anthropic's `anthropic-version`. */
  version?: string;
  /** The request only counts tokens. */
  counting?: boolean;
}

/** One protocol. */
export interface MockProtocol {
  /** Checks and reads the body of a request. */
  read(body: unknown, context: CallContext): MockRequest | MockError;
  /** The body of a plain answer to `request`. */
  body(answer: MockAnswer, request: Json): unknown;
  /** The events of a streamed answer to `request`. */
  events(answer: MockAnswer, request: Json): Iterable<MockEvent>;
  /** The body of an error; `requests` is the number of this request. */
  error(error: MockError, requests: number): unknown;
  /** The status of a server that is overloaded. */
  overloaded: number;
  /** The body of the list of models. */
  models(models: readonly string[]): unknown;
  /** The body of one model of that list. */
  model(id: string): unknown;
  /** The body of an answer that counts the tokens of a prompt, where the protocol has that call. */
  count?(tokens: number): unknown;
  /** The headers of every answer. */
  headers(requests: number, limit: RequestLimit | undefined): Record<string, string>;
}

/** Seconds since 1970. */
export function timestamp(): number {
  return Math.floor(Date.now() / 1000);
}
