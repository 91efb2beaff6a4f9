/**
 * How the endpoints of a client are doing.
 *
 * @module
 */
import type { FlexLLMError } from "../errors.ts";
import type { EndpointClient } from "./endpoint_client.ts";

/** The state of one endpoint at one moment. */
export interface EndpointStats {
  /** The base URL. */
  endpoint: string;
  /** The model that it is asked for; `undefined` when each call names one. */
  model: string | undefined;
  /**
   * `up`: requests go to it; `cooling`: it has asked to wait; `down`: it counts as away; `probing`: one
   * request finds out whether it is back.
   */
  state: "up" | "cooling" | "down" | "probing";
  /**
   * Seconds until the next request may go to an endpoint that is `cooling` or `down`; `null` when it is
   * `up`, or `probing`, which ends with an answer.
   */
  retryIn: number | null;
  /** Requests in flight. */
  inFlight: number;
  /** Requests that may be in flight now; less than the limit where it adapts to the server. */
  concurrency: number;
  /** Requests a second that the server was found to take; `null` when no limit was met. */
  rate: number | null;
  /** Tries that were answered. */
  answers: number;
  /** Tries that failed by the endpoint's fault, rate limits included. */
  failures: number;
  /** Average seconds to an answer, the latest ones weighing most; `null` before the first. */
  latency: number | null;
  /** The last such failure; `null` when there was none. */
  lastError: FlexLLMError | null;
}

/** Looks at an endpoint; `now` in milliseconds. */
export function endpointStats({ gate, name, model }: EndpointClient, now: number): EndpointStats {
  const wait = gate.retryAt - now;
  return {
    endpoint: name,
    model,
    state: gate.state(now),
    retryIn: wait > 0 && Number.isFinite(wait) ? wait / 1000 : null,
    inFlight: gate.inFlight,
    concurrency: gate.concurrency,
    rate: Number.isFinite(gate.rate) ? gate.rate : null,
    answers: gate.answers,
    failures: gate.failures,
    latency: gate.latency === undefined ? null : gate.latency / 1000,
    lastError: gate.lastError ?? null,
  };
}
