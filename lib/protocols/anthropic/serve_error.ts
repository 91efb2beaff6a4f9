/**
 * Encodes errors and response headers as Anthropic does.
 *
 * Source: Anthropic API reference, "Errors" and "Rate limits".
 *
 * @module
 */
import type { ErrorResponse, RequestLimit, ServerError } from "../serve.ts";
import { retryHeaders } from "../serve_headers.ts";

const TYPES: Record<number, string> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** Encodes an error. */
export function encodeError(error: ServerError, requestId: string): ErrorResponse {
  const { status, message, retryAfter } = error;
  const type = TYPES[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
  return {
    status,
    headers: retryHeaders(retryAfter),
    body: { type: "error", error: { type, message }, request_id: requestId },
  };
}

/** The headers of every answer. `reset` is written as a date. */
export function encodeHeaders(
  requestId: string,
  requests?: RequestLimit,
  tokens?: RequestLimit,
): Record<string, string> {
  const headers: Record<string, string> = { "request-id": requestId };
  if (requests !== undefined) putLimit(headers, "requests", requests);
  if (tokens !== undefined) putLimit(headers, "tokens", tokens);
  return headers;
}

function putLimit(headers: Record<string, string>, what: string, limit: RequestLimit): void {
  const reset = new Date(Date.now() + limit.reset * 1000);
  headers[`anthropic-ratelimit-${what}-limit`] = String(limit.limit);
  headers[`anthropic-ratelimit-${what}-remaining`] = String(limit.remaining);
  headers[`anthropic-ratelimit-${what}-reset`] = reset.toISOString();
}
