/**
 * Defines one call of a client to the gateway, as all parts of the gateway see it.
 *
 * @module
 */
import type { Json } from "../json/json.ts";
import type { Protocol } from "../protocols/protocol.ts";
import type { ProtocolServer, RequestContext, ServerRequest } from "../protocols/serve.ts";
import type { Caller } from "./access.ts";

/** One call of a client. */
export interface GatewayCall {
  /** Letters and digits, unique per call: the `x-flexllm-call-id` of the answer. */
  readonly id: string;
  /** The format in which the client speaks. */
  readonly protocol: Protocol;
  /** The server side of that format. */
  readonly server: ProtocolServer;
  /** What the path, the query and the headers of the request specify. */
  readonly context: RequestContext;
  /** The headers of the request. */
  readonly headers: Headers;
  /** The query of the request, such as `?beta=true`. */
  readonly query: URLSearchParams;
  /** The body as it arrived. */
  readonly text: string;
  /** The parsed body; numbers are plain doubles. */
  readonly body: Json;
  /** The model that the client asks for: the name of a route. */
  readonly model: string;
  /** Whether the client wants a stream. */
  readonly stream: boolean;
  /** Aborts when the client leaves, its time is over, or the gateway closes. */
  readonly signal: AbortSignal;
  /** The caller: a virtual key. */
  readonly caller: Caller;
  /**
   * The decoded request, created at first use: the native lane rarely needs it.
   *
   * @throws {GatewayError} if the body does not fit the format
   */
  readonly request: ServerRequest;
  /**
   * Paths of the fields that another format cannot carry and that were left out by rule, such as
   * `context_management`. Answers name them in `x-flexllm-dropped`.
   */
  readonly dropped: Set<string>;
  /**
   * The maximum tokens of the answer that the caller's budget can pay for, if the request sets no limit and the
   * budget cannot pay for the longest possible answer.
   */
  readonly outputLimit?: number;
}
