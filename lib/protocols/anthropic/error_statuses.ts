/**
 * The HTTP status of each type of error, which streams and batch results have without one.
 *
 * Source: Anthropic API reference, "Errors".
 *
 * @module
 */

/** The statuses by type. */
export const ERROR_STATUSES: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};
