/**
 * The rate-limit headers of OpenAI's APIs.
 *
 * Source: OpenAI API documentation, "Rate limits" (`x-ratelimit-remaining-requests`); the reset is the time
 * until the limit is full again.
 *
 * @module
 */
import type { RateLimitHeaders } from "../rate_limit_headers.ts";

function headers(unit: "requests" | "tokens"): RateLimitHeaders {
  return {
    limit: `x-ratelimit-limit-${unit}`,
    remaining: `x-ratelimit-remaining-${unit}`,
    reset: `x-ratelimit-reset-${unit}`,
    tokens: unit === "tokens",
    refills: true,
  };
}

/** OpenAI's limits of requests and of tokens. */
export const rateLimitHeaders: readonly RateLimitHeaders[] = [
  headers("requests"),
  headers("tokens"),
];
