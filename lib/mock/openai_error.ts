/**
 * OpenAI's error bodies, which Chat Completions and Responses share.
 *
 * Source: OpenAI's guide "Error codes" and error bodies of the API as users report them; 402 is the
 * word that compatible services use for an empty account.
 *
 * @module
 */
import type { MockError } from "./protocol.ts";

const WORDS: Record<number, readonly [type: string, code: string | null]> = {
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

/** The body of an error. */
export function openaiError({ status, message, param, code }: MockError): unknown {
  const [type, usual] = WORDS[status] ?? WORDS[status < 500 ? 400 : 500];
  return {
    error: { message, type, param: param ?? null, code: code === undefined ? usual : code },
  };
}
