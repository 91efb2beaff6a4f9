/**
 * Selects the headers of responses that can be logged: none of them can hold a key, a cookie or an account.
 *
 * @module
 */

/** Ids of requests, rate limits, retries, and which server answered after which time. */
const SHOWN =
  /^(x-request-id|request-id|x-amzn-requestid|apim-request-id|cf-ray|retry-after|retry-after-ms|x-should-retry|(x|anthropic)-ratelimit-.*|openai-processing-ms|x-envoy-upstream-service-time|server|via|date|content-type)$/;

/** Longest value, in characters. */
const MAX_VALUE = 200;

/** The headers of a response that hold no secrets; values are truncated. */
export function shownHeaders(headers: Headers): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (SHOWN.test(name)) shown[name] = value.slice(0, MAX_VALUE);
  }
  return shown;
}
