/**
 * Encodes errors as Google does.
 *
 * Source: the status codes of gRPC with their HTTP mapping (google.rpc.Code) and the Gemini API's
 * "Troubleshooting guide".
 *
 * @module
 */
import type { ErrorResponse, ServerError } from "../serve.ts";
import { retryHeaders } from "../serve_headers.ts";

const STATUSES: Record<number, string> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  402: "RESOURCE_EXHAUSTED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  405: "UNIMPLEMENTED",
  409: "ABORTED",
  412: "FAILED_PRECONDITION",
  429: "RESOURCE_EXHAUSTED",
  499: "CANCELLED",
  500: "INTERNAL",
  501: "UNIMPLEMENTED",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
  529: "UNAVAILABLE",
};

/** Encodes an error. Its details say when to retry. */
export function encodeError({ status: code, message, retryAfter }: ServerError): ErrorResponse {
  const status = STATUSES[code] ?? (code < 500 ? "INVALID_ARGUMENT" : "INTERNAL");
  const details = retryAfter === undefined ? undefined : [{
    "@type": "type.googleapis.com/google.rpc.RetryInfo",
    retryDelay: `${retryAfter}s`,
  }];
  return {
    status: code,
    headers: retryHeaders(retryAfter),
    body: { error: { code, message, status, details } },
  };
}
