/**
 * Makes the facts of requests that are no chat calls: lists, counts, embeddings, and all that is refused.
 *
 * @module
 */
import type { Usage } from "../../usage.ts";
import type { Caller } from "../access.ts";
import { failureFacts } from "../../client/failure_facts.ts";
import type { GatewayFacts } from "../gateway_facts.ts";
import type { Arrival } from "./arrival.ts";

/** What became known about a request, as far as it got. */
export interface RequestProgress {
  operation: string;
  format?: string;
  caller?: Caller;
  requestedModel?: string;
  stream?: boolean;
  route?: string;
  endpoint?: string;
  model?: string;
  usage?: Usage;
  cost?: number | null;
  attempts?: number;
  /** Milliseconds that were not the gateway's own. */
  waited?: number;
}

/** Longest path in characters. Every path of the gateway is shorter. */
const MAX_PATH = 200;

/** Seconds that the gateway added; 0 if it is unknown how long an attempt took. */
function overheadOf({ attempts = 0, waited }: RequestProgress, duration: number): number {
  if (waited !== undefined) return Math.max(0, duration - waited / 1000);
  return attempts === 0 ? duration : 0;
}

/** The facts of a request that has ended with `status`, and perhaps with an error. */
export function requestFacts(
  arrival: Arrival,
  progress: RequestProgress,
  status: number,
  error?: unknown,
): GatewayFacts {
  const duration = (performance.now() - arrival.startedAt) / 1000;
  const { caller, operation, usage = null, cost = 0, attempts = 0, stream = false } = progress;
  const facts: GatewayFacts = {
    id: arrival.id,
    at: Date.now() - duration * 1000,
    method: arrival.request.method,
    path: arrival.path.slice(0, MAX_PATH),
    operation,
    stream,
    status,
    queued: 0,
    attempts,
    retries: 0,
    fallbacks: 0,
    duration,
    overhead: overheadOf(progress, duration),
    cache: "off",
    usage,
    cost,
    outcome: "success",
  };
  if (progress.format !== undefined) facts.format = progress.format;
  if (progress.requestedModel !== undefined) facts.requestedModel = progress.requestedModel;
  if (progress.route !== undefined) facts.route = progress.route;
  if (progress.endpoint !== undefined) facts.endpoint = progress.endpoint;
  if (progress.model !== undefined) facts.model = progress.model;
  if (caller !== undefined && caller.name !== "") facts.key = caller.name;
  if (caller?.team !== undefined) facts.team = caller.team;
  return error === undefined ? facts : Object.assign(facts, failureFacts(error));
}
