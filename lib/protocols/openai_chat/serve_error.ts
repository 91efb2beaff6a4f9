/**
 * Encodes errors as OpenAI does, in Chat Completions and Responses.
 *
 * Source: OpenAI's guide "Error codes" and error bodies of the API as users report them; 402 is what
 * compatible services send for an empty account.
 *
 * @module
 */
import type { ErrorResponse, RequestLimit, ServerError } from "../serve.ts";
import { retryHeaders } from "../serve_headers.ts";

const TYPES: Record<number, readonly [type: string, code: string | null]> = {
  400: ["invalid_request_error", null],
  401: ["invalid_request_error", "invalid_api_key"],
  402: ["insufficient_quota", "insufficient_quota"],
  403: ["request_forbidden", "unsupported_country_region_territory"],
  404: ["invalid_request_error", "model_not_found"],
  405: ["invalid_request_error", "method_not_supported"],
  408: ["server_error", "request_timeout"],
  409: ["conflict_error", "conflict"],
  413: ["invalid_request_error", "request_too_large"],
  422: ["invalid_request_error", "unprocessable_entity"],
  429: ["requests", "rate_limit_exceeded"],
  500: ["server_error", null],
  502: ["server_error", "bad_gateway"],
  503: ["service_unavailable_error", "server_is_overloaded"],
  504: ["server_error", "timeout"],
  529: ["service_unavailable_error", "server_is_overloaded"],
};

/** Encodes an error. */
export function encodeError(error: ServerError): ErrorResponse {
  const { status, message, param = null, retryAfter } = error;
  const [type, usualCode] = TYPES[status] ?? TYPES[status < 500 ? 400 : 500];
  const code = error.code === undefined ? usualCode : error.code;
  return {
    status,
    headers: retryHeaders(retryAfter),
    body: { error: { message, type, param, code } },
  };
}

/**
 * The headers of every answer. `reset` is written as Go writes durations.
 *
 * Source: OpenAI's guide "Rate limits".
 */
export function encodeHeaders(
  requestId: string,
  requests?: RequestLimit,
  tokens?: RequestLimit,
): Record<string, string> {
  const headers: Record<string, string> = { "x-request-id": requestId };
  if (requests !== undefined) putLimit(headers, "requests", requests);
  if (tokens !== undefined) putLimit(headers, "tokens", tokens);
  return headers;
}

function putLimit(headers: Record<string, string>, what: string, limit: RequestLimit): void {
  headers[`x-ratelimit-limit-${what}`] = String(limit.limit);
  headers[`x-ratelimit-remaining-${what}`] = String(limit.remaining);
  headers[`x-ratelimit-reset-${what}`] = `${Math.ceil(limit.reset * 1000)}ms`;
}
