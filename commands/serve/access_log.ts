/**
 * Writes the gateway's access log to stdout: one line per request, or one JSON object.
 *
 * @module
 */
import process from "node:process";
import { accessRecord } from "../../lib/gateway/observe/access_record.ts";
import type { GatewayFacts, GatewayObserver } from "../../lib/gateway/gateway_facts.ts";
import { counted, dollars } from "../terminal/format.ts";
import { colored } from "../terminal/output.ts";
import {
  type AccessLogFormat,
  type LineLog,
  type Paint,
  requestLine,
  shortLine,
} from "../terminal/request_log.ts";

/** Longest error message, in characters. */
const MAX_ERROR = 400;

/** Who called, where the answer came from, and what was special. */
function remarks(facts: GatewayFacts, paint: Paint): string[] {
  const { key, route, endpoint, model, requestedModel, cache, cost, retries, fallbacks } = facts;
  const target = model !== undefined && model !== (route ?? requestedModel) ? model : undefined;
  const remarks: string[] = [];
  if (key) remarks.push(paint("dim", `key ${shortLine(key, MAX_ERROR)}`));
  if (target !== undefined && endpoint !== undefined) {
    remarks.push(paint("dim", `→ ${shortLine(target, MAX_ERROR)} at ${endpoint}`));
  }
  if (cache === "hit") remarks.push(paint("green", "cached"));
  else if (cost) remarks.push(dollars(cost));
  if (retries > 0) remarks.push(paint("yellow", counted(retries, "retry", "retries")));
  if (fallbacks > 0) remarks.push(paint("yellow", counted(fallbacks, "fallback")));
  if (facts.outcome === "aborted") remarks.push(paint("yellow", "client left"));
  else if (facts.error !== undefined) {
    remarks.push(paint("yellow", shortLine(facts.error, MAX_ERROR)));
  }
  return remarks;
}

/** One line of text. */
export function accessLine(facts: GatewayFacts, paint: Paint): string {
  const { at, method, path, requestedModel, status, stream, duration, usage } = facts;
  const request = {
    time: new Date(at),
    method,
    path,
    model: requestedModel,
    status,
    streamed: stream,
    duration,
    promptTokens: usage?.promptTokens,
    completionTokens: usage?.completionTokens,
  };
  return requestLine(request, remarks(facts, paint), paint);
}

/** Makes a function that adds a finished request to `log`. */
export function accessLogger(format: AccessLogFormat, log: LineLog): GatewayObserver {
  const paint: Paint = (style, text) => colored(style, text, process.stdout);
  return (facts) =>
    log.add(
      format === "json" ? JSON.stringify(accessRecord(facts)) : accessLine(facts, paint),
    );
}
