/**
 * Counts the requests, tokens and costs of a gateway since its start.
 *
 * @module
 */
import type { GatewayFacts } from "../gateway_facts.ts";

/** Counts since the start of the gateway. */
export interface GatewayTotals {
  /** Requests of clients that have ended, including those that were refused. */
  requests: number;
  /** Requests that ended with an error. */
  errors: number;
  /** Requests whose client left before the answer was complete. */
  aborted: number;
  /** Requests answered from the response cache. */
  cacheHits: number;
  /** Input tokens that were sent to endpoints. */
  promptTokens: number;
  /** Output tokens that endpoints generated. */
  completionTokens: number;
  /** Known costs in USD. */
  cost: number;
  /** Requests to endpoints after the first one of a call. */
  retries: number;
  fallbacks: number;
}

/** Creates totals of zero. */
export function noTotals(): GatewayTotals {
  return {
    requests: 0,
    errors: 0,
    aborted: 0,
    cacheHits: 0,
    promptTokens: 0,
    completionTokens: 0,
    cost: 0,
    retries: 0,
    fallbacks: 0,
  };
}

/** Adds one request. */
export function addToTotals(totals: GatewayTotals, facts: GatewayFacts): void {
  totals.requests++;
  if (facts.outcome === "error") totals.errors++;
  else if (facts.outcome === "aborted") totals.aborted++;
  totals.retries += facts.retries;
  totals.fallbacks += facts.fallbacks;
  totals.cost += facts.cost ?? 0;
  if (facts.cache === "hit") {
    // Its tokens are those of the original answer.
    totals.cacheHits++;
  } else if (facts.usage !== null) {
    totals.promptTokens += facts.usage.promptTokens;
    totals.completionTokens += facts.usage.completionTokens;
  }
}
