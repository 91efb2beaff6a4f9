/**
 * Records the metrics of a finished call.
 *
 * @module
 */
import type { Attributes } from "@opentelemetry/api";
import type { EndFacts } from "./end_facts.ts";
import type { Instruments } from "./instruments.ts";
import { NAME } from "./semantic_names.ts";

/** Records the metrics of a call; `model` are the attributes that they share. */
export function callMetrics(
  instruments: Instruments,
  facts: EndFacts,
  model: Attributes,
  isStream: boolean,
): void {
  const { usage, cached, cost, attempts, firstToken, errorCode } = facts;
  const duration: Attributes = { ...model };
  if (errorCode !== undefined) duration[NAME.errorType] = errorCode;
  if (cached) duration[NAME.cacheHit] = true;
  instruments.record("duration", facts.duration, duration);
  if (cached) return;
  instruments.record("queue", facts.queued, model);
  if (attempts > 1) instruments.record("retries", attempts - 1, model);
  if (cost !== null && cost > 0) instruments.record("cost", cost, model);
  if (isStream && firstToken !== undefined) {
    instruments.record("timeToFirstChunk", firstToken, model);
  }
  if (usage === null) return;
  const tokens = (type: string, count: number) =>
    instruments.record("tokens", count, { ...model, [NAME.tokenType]: type });
  tokens("input", usage.promptTokens);
  tokens("output", usage.completionTokens);
}
