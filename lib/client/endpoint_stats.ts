/**
 * Reports the current state of the endpoints of a client.
 *
 * @module
 */
import type { FlexLLMError } from "../errors.ts";
import type { EndpointClient } from "./endpoint_client.ts";

/** The current state of one endpoint. */
export interface EndpointStats {
  /** The base URL. */
  endpoint: string;
  /** The default model; `undefined` if each call names one. */
  model: string | undefined;
  /**
   * `up`: it gets requests; `cooling`: it asked to wait; `down`: it does not respond; `probing`: one request
   * is testing whether it is back.
   */
  state: "up" | "cooling" | "down" | "probing";
  /**
   * Seconds until an endpoint that is `cooling` or `down` gets the next request; `null` if it is `up` or
   * `probing`.
   */
  retryIn: number | null;
  /** Requests in flight. */
  inFlight: number;
  /** Current maximum of requests in flight; below the limit while it adapts to the server. */
  concurrency: number;
  /** Requests per second that the server was found to accept; `null` if no limit was met. */
  rate: number | null;
  /** Answered attempts. */
  answers: number;
  /** Attempts that failed through the endpoint's fault, rate limits included. */
  failures: number;
  /** Average seconds to an answer, weighted towards recent ones; `null` before the first answer. */
  latency: number | null;
  /** The last such failure; `null` if there was none. */
  lastError: FlexLLMError | null;
}

/** Reads the state of an endpoint; `now` in milliseconds. */
export function endpointStats(
  { limits, name, model }: EndpointClient,
  now: number,
): EndpointStats {
  const wait = limits.retryAt - now;
  return {
    endpoint: name,
    model,
    state: limits.state(now),
    retryIn: wait > 0 && Number.isFinite(wait) ? wait / 1000 : null,
    inFlight: limits.inFlight,
    concurrency: limits.concurrency,
    rate: Number.isFinite(limits.rate) ? limits.rate : null,
    answers: limits.answers,
    failures: limits.failures,
    latency: limits.latency === undefined ? null : limits.latency / 1000,
    lastError: limits.lastError ?? null,
  };
}
