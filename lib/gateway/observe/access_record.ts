/**
 * Makes the record of a request for the access log: no prompts, no answers, no query, no secrets.
 *
 * @module
 */
import { microseconds } from "../../log/microseconds.ts";
import { shortText } from "../../log/short_text.ts";
import type { GatewayFacts } from "../gateway_facts.ts";

/**
 * One line of the access log. Times are in seconds; absent fields are unknown or do not apply.
 */
export interface AccessRecord extends
  Pick<
    GatewayFacts,
    | "id"
    | "method"
    | "path"
    | "operation"
    | "format"
    | "key"
    | "team"
    | "requestedModel"
    | "route"
    | "model"
    | "endpoint"
    | "lane"
    | "stream"
    | "status"
    | "outcome"
    | "errorCode"
    | "error"
    | "attempts"
    | "retries"
    | "fallbacks"
    | "cache"
    | "duration"
    | "queued"
    | "overhead"
    | "firstToken"
  > {
  /** When the request arrived, in ISO 8601 format, UTC. */
  time: string;
  promptTokens?: number;
  completionTokens?: number;
  /** The part of `promptTokens` read from the provider's prompt cache. */
  cachedTokens?: number;
  /** Cost in USD, including that of failed attempts; absent if unknown. */
  cost?: number;
}

/** Longest text that clients or servers write, in characters. */
const MAX_TEXT = 200;
const MAX_ERROR = 400;

function short(text: string | undefined, limit: number): string | undefined {
  return text === undefined || text.length <= limit ? text : shortText(text, limit);
}

/** Makes the record of a request. `JSON.stringify` writes it on one line. */
export function accessRecord(facts: GatewayFacts): AccessRecord {
  const { usage } = facts;
  return {
    time: new Date(facts.at).toISOString(),
    id: facts.id,
    method: facts.method,
    path: short(facts.path, MAX_TEXT)!,
    operation: short(facts.operation, MAX_TEXT)!,
    format: facts.format,
    key: facts.key,
    team: facts.team,
    requestedModel: short(facts.requestedModel, MAX_TEXT),
    route: facts.route,
    model: short(facts.model, MAX_TEXT),
    endpoint: facts.endpoint,
    lane: facts.lane,
    stream: facts.stream,
    status: facts.status,
    outcome: facts.outcome,
    errorCode: facts.errorCode,
    error: short(facts.error, MAX_ERROR),
    attempts: facts.attempts,
    retries: facts.retries,
    fallbacks: facts.fallbacks,
    cache: facts.cache,
    promptTokens: usage?.promptTokens,
    completionTokens: usage?.completionTokens,
    cachedTokens: usage?.cachedTokens,
    cost: facts.cost ?? undefined,
    duration: microseconds(facts.duration),
    queued: microseconds(facts.queued),
    overhead: microseconds(facts.overhead),
    firstToken: facts.firstToken === undefined ? undefined : microseconds(facts.firstToken),
  };
}
