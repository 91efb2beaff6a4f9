/**
 * Makes the mock's JSON and error responses.
 *
 * @module
 */
import { asObject, type Json } from "../json/json.ts";
import type { ProtocolServer, ServerError } from "../protocols/serve.ts";
import { addFacts } from "./access_log.ts";

/** Headers of a response. */
export type HeaderRecord = Record<string, string>;

/** An error with the reason that Google's clients read from its details. */
export interface MockServerError extends ServerError {
  /** E.g. `API_KEY_INVALID`. */
  reason?: string;
}

/** The request that failed, and the format of the answer. */
export interface ErrorContext {
  request: Request;
  server: ProtocolServer;
  requestId: string;
  headers: HeaderRecord;
}

/** A JSON response. Runtimes write a plain record of headers fastest. */
export function json(body: unknown, status: number, headers: HeaderRecord): Response {
  const type = { "content-type": "application/json" };
  return new Response(JSON.stringify(body), { status, headers: { ...type, ...headers } });
}

function withReason(body: unknown, reason: string): Json {
  const details = [{
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    reason,
    domain: "googleapis.com",
    metadata: { service: "generativelanguage.googleapis.com" },
  }];
  return { error: { ...asObject(asObject(body)?.error), details } };
}

/** An error response in the format of the API. */
export function errorResponse(
  { request, server, requestId, headers }: ErrorContext,
  error: MockServerError,
): Response {
  addFacts(request, { error: error.message });
  const encoded = server.encodeError(error, requestId);
  const body = error.reason === undefined ? encoded.body : withReason(encoded.body, error.reason);
  return json(body, encoded.status, { ...headers, ...encoded.headers });
}
