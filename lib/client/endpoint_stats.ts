/**
 * Reports the current state of the endpoints of a client.
 *
 * @module
 */
import type { FlexLLMError } from "../errors.ts";
import type { EndpointClient } from "./endpoint_client.ts";

/** The current state of one endpoint. */
export interface EndpointStats {
  /** The base URL, without any secrets. */
  endpoint: string;
  /** The default model; `undefined` if each call must name one. */
  model: string | undefined;
  /**
   * `up`: it gets requests; `cooling`: it asked for a pause; `down`: it is not responding; `probing`: one
   * request is testing whether it has recovered.
   */
  state: "up" | "cooling" | "down" | "probing";
  /**
   * Seconds until an endpoint that is `cooling` or `down` gets the next request; `null` if it is `up` or
   * `probing`.
   */
  retryIn: number | null;
  /** Requests in flight. */
  inFlight: number;
  /** The current maximum of requests in flight; with `adaptive`, it may be below the limit. */
  concurrency: number;
  /** Requests per second that the server accepts, as measured; `null` if no limit was found. */
  rate: number | null;
  /** Answered attempts. */
  answers: number;
  /** Failed attempts that were the endpoint's fault, including rate limits. */
  failures: number;
  /** Average seconds per answer, weighted towards recent ones; `null` before the first answer. */
  latency: number | null;
  /** The last of these failures; `null` if there was none. */
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
