/**
 * Defines a lane: how a call is encoded for an endpoint, and its answer for the client.
 *
 * There are two. The native lane passes bodies through when client and endpoint speak the same format; the
 * translated lane converts them. Lanes are pure: they neither send nor wait.
 *
 * @module
 */
import type { StreamAccumulator } from "../chat/events.ts";
import type { EndpointClient } from "../client/endpoint_client.ts";
import type { FlexLLMError } from "../errors.ts";
import type { Completion, Protocol } from "../protocols/protocol.ts";
import type { BufferedResponse } from "../transport/http.ts";
import type { EncodedRequest } from "../transport/request.ts";
import type { GatewayCall } from "./gateway_call.ts";

/** A call, encoded for one endpoint. */
export interface LaneRequest {
  readonly endpoint: EndpointClient;
  /** The format that the endpoint speaks. */
  readonly protocol: Protocol;
  /** The model under the endpoint's name for it. */
  readonly model: string;
  readonly encoded: EncodedRequest;
  /** Whether thinking was requested, for the decoder of streams. */
  readonly isThinkingRequested: boolean;
}

/** A whole answer for the client. */
export interface LaneAnswer {
  /** The body, in the client's format. */
  readonly body: string;
  /** @default "application/json" */
  readonly contentType?: string;
  /** Headers of the provider that the client gets. */
  readonly headers?: Record<string, string>;
  /** The decoded answer, for cost, limits and the cache. */
  readonly completion: Completion;
  /** The provider's own answer. */
  readonly raw: unknown;
}

/** The parts of a streamed completion that are not events. */
export type LaneStreamEnd =
  & Pick<Completion, "providerMessage" | "cost" | "serviceTier" | "billed">
  & { model?: string; raw?: unknown };

/** Converts one stream. */
export interface LaneStream {
  /**
   * Takes a chunk of the provider's stream and returns the bytes for the client; `undefined` for none. Bytes
   * that arrive before {@link LaneStream.hasContent} must be held back by the caller: the call can still move
   * to another endpoint.
   */
  push(chunk: Uint8Array): Uint8Array | undefined;
  /**
   * Ends the stream when the provider has closed the connection. Returns the last bytes for the client. If
   * the answer is incomplete, sets {@link LaneStream.failure}; the bytes then end with an error event, never
   * with the end of a complete answer.
   */
  end(): Uint8Array | undefined;
  /** Ends the stream because of `error`, e.g. a broken connection. Returns an error event for the client. */
  fail(error: FlexLLMError): Uint8Array;
  /** Whether a part of the answer has arrived: text, thinking, a tool call, a refusal. */
  readonly hasContent: boolean;
  /** Whether nothing more will come, so that reading can stop before the connection closes. */
  readonly ended: boolean;
  /**
   * The error that the provider sent in the stream, or that ended it. After content, the bytes returned by
   * {@link LaneStream.push} already report it to the client.
   */
  readonly failure: FlexLLMError | undefined;
  /** What has arrived so far, for the bill of an incomplete answer, and for the cache. */
  readonly received: StreamAccumulator;
  /** Headers of the provider that the client gets. */
  readonly headers?: Record<string, string>;
  /** The rest of the answer, once it is complete. */
  readonly completed: LaneStreamEnd | undefined;
}

/** A way through the gateway. */
export interface Lane {
  readonly name: "native" | "translated";
  /**
   * Encodes a call for an endpoint.
   *
   * @throws {GatewayError} that names what the endpoint's format cannot carry
   */
  encode(call: GatewayCall, endpoint: EndpointClient): LaneRequest;
  /**
   * Decodes a whole answer with a successful status.
   *
   * @throws {FlexLLMError} if it is none, or an error object
   */
  answer(call: GatewayCall, request: LaneRequest, response: BufferedResponse): LaneAnswer;
  /** Starts to convert a stream with a successful status. */
  stream(call: GatewayCall, request: LaneRequest, headers: Headers): LaneStream;
}
