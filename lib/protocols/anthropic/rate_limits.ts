/**
 * The rate-limit headers of Anthropic's API.
 *
 * Source: Anthropic API documentation, "Rate limits": a token bucket; the reset is the RFC 3339 date at
 * which it is full again.
 *
 * @module
 */
import type { RateLimitHeaders } from "../rate_limit_headers.ts";

function headers(unit: string): RateLimitHeaders {
  return {
    limit: `anthropic-ratelimit-${unit}-limit`,
    remaining: `anthropic-ratelimit-${unit}-remaining`,
    reset: `anthropic-ratelimit-${unit}-reset`,
    tokens: unit !== "requests",
    refills: true,
  };
}

/** Anthropic's limits of requests and of tokens. */
export const rateLimitHeaders: readonly RateLimitHeaders[] = [
  "requests",
  "tokens",
  "input-tokens",
  "output-tokens",
].map(headers);
