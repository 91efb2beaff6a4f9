/**
 * One call of a client, read from an HTTP request.
 *
 * @module
 */
import { FlexLLMError } from "../../errors.ts";
import type { Json } from "../../json/json.ts";
import type { Protocol } from "../../protocols/protocol.ts";
import type { ProtocolServer, RequestContext, ServerRequest } from "../../protocols/serve.ts";
import type { Caller } from "../access.ts";
import type { GatewayCall } from "../gateway_call.ts";
import { GatewayError } from "../gateway_error.ts";
import type { ServedFormat } from "../../protocols/servers.ts";
import type { Arrival } from "./arrival.ts";
import type { RequestBody } from "./request_body.ts";

/** A call, with the HTTP request that it came in. */
export class HttpCall implements GatewayCall {
  /** The request before its body was read. */
  readonly arrival: Arrival;
  readonly protocol: Protocol;
  readonly server: ProtocolServer;
  readonly context: RequestContext;
  readonly caller: Caller;
  readonly text: string;
  readonly body: Json;
  readonly model: string;
  readonly stream: boolean;
  readonly dropped: Set<string> = new Set();
  outputLimit: number | undefined = undefined;
  #request: ServerRequest | undefined;

  constructor(
    arrival: Arrival,
    { protocol, server }: ServedFormat,
    context: RequestContext,
    caller: Caller,
    { text, body, model, stream }: RequestBody,
  ) {
    this.arrival = arrival;
    this.protocol = protocol;
    this.server = server;
    this.context = context;
    this.caller = caller;
    this.text = text;
    this.body = body;
    this.model = model;
    this.stream = stream;
  }

  get id(): string {
    return this.arrival.id;
  }

  /** When the request arrived, by `performance.now()`. */
  get startedAt(): number {
    return this.arrival.startedAt;
  }

  /** The path without its query. */
  get path(): string {
    return this.arrival.path;
  }

  get httpRequest(): Request {
    return this.arrival.request;
  }

  get headers(): Headers {
    return this.arrival.request.headers;
  }

  get query(): URLSearchParams {
    return this.arrival.query;
  }

  get signal(): AbortSignal {
    return this.arrival.signal;
  }

  get request(): ServerRequest {
    const request = this.#request ??= this.#decode();
    if (this.outputLimit !== undefined) request.chat.options.maxTokens = this.outputLimit;
    return request;
  }

  /** Ends the call. Only the first reason counts. */
  abort(reason: FlexLLMError): void {
    this.arrival.abort(reason);
  }

  #decode(): ServerRequest {
    const { server, context, body } = this;
    try {
      const normalized = server.normalize?.(body, context) ?? body;
      const decoded = server.decodeRequest(normalized, context);
      // Gemini has both in the path rather than in the body.
      decoded.chat.model = this.model;
      decoded.chat.stream = this.stream;
      return decoded;
    } catch (error) {
      if (error instanceof FlexLLMError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new GatewayError(400, `the request does not fit its format: ${reason}`, {
        reason: "invalid_request",
        cause: error,
      });
    }
  }
}
