/**
 * Response headers that all formats share.
 *
 * @module
 */

/** The headers that say when to retry; `retry-after-ms` is OpenAI's and more exact. */
export function retryHeaders(seconds: number | undefined): Record<string, string> {
  if (seconds === undefined) return {};
  return {
    "retry-after": String(Math.ceil(seconds)),
    "retry-after-ms": String(Math.ceil(seconds * 1000)),
  };
}
