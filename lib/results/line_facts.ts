/**
 * Describes what can be learned about a line of a result file without parsing all of it.
 *
 * @module
 */
import type { ResultRecord } from "../batch/journal/result_line.ts";

/** The facts about one result. One object is reused for all lines, so copy what you keep. */
export class LineFacts {
  /** The record's position in the input, from 0. */
  index = -1;
  /** Whether the request succeeded. */
  succeeded = false;
  /** The model that the batch requested; `undefined` in files of a single model. */
  requestedModel: string | undefined;
  /** The model that answered, by the name the server reports. */
  model: string | undefined;
  finishReason: string | undefined;
  errorCode: string | undefined;
  /** Seconds; `NaN` if unknown, as all numbers below. */
  latency = NaN;
  /** USD. */
  cost = NaN;
  /** USD spent on earlier answers to the record. */
  spentBefore = NaN;
  promptTokens = NaN;
  completionTokens = NaN;
  /** Prompt tokens read from the provider's cache. */
  cachedTokens = NaN;
  reasoningTokens = NaN;
  /** Whether the answer came from the response cache. */
  cached = false;
  /** When the call was made, in milliseconds since 1970. */
  at = NaN;
  /** Seconds spent waiting: in the queue, for rate limits, and between attempts. */
  queued = NaN;
  /** Seconds from sending the last attempt to its first token; only for streams. */
  firstToken = NaN;
  /** Requests sent. */
  attempts = NaN;
  /** The endpoint of the last attempt. */
  endpoint: string | undefined;

  /** Forgets everything, before the next line. */
  reset(): void {
    this.index = -1;
    this.succeeded = false;
    this.requestedModel = undefined;
    this.model = undefined;
    this.finishReason = undefined;
    this.errorCode = undefined;
    this.latency = NaN;
    this.cost = NaN;
    this.spentBefore = NaN;
    this.promptTokens = NaN;
    this.completionTokens = NaN;
    this.cachedTokens = NaN;
    this.reasoningTokens = NaN;
    this.cached = false;
    this.at = NaN;
    this.queued = NaN;
    this.firstToken = NaN;
    this.attempts = NaN;
    this.endpoint = undefined;
  }

  /** Takes the facts from a parsed line. Fields of another type than expected count as absent. */
  setFrom(record: ResultRecord): void {
    const usage = typeof record.usage === "object" ? record.usage : undefined;
    this.index = record.index;
    this.succeeded = record.status === "success";
    this.requestedModel = record.requested_model;
    this.model = text(record.model);
    this.finishReason = text(record.finish_reason);
    this.errorCode = text(record.error_code);
    this.latency = number(record.latency);
    this.cost = number(record.cost);
    this.spentBefore = number(record.spent_before);
    this.promptTokens = number(usage?.prompt_tokens);
    this.completionTokens = number(usage?.completion_tokens);
    this.cachedTokens = number(usage?.cached_tokens);
    this.reasoningTokens = number(usage?.reasoning_tokens);
    this.cached = record.cached === true;
    this.at = typeof record.at === "string" ? Date.parse(record.at) : NaN;
    this.queued = number(record.queued);
    this.firstToken = number(record.first_token);
    this.attempts = number(record.attempts);
    this.endpoint = text(record.endpoint);
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function number(value: unknown): number {
  return typeof value === "number" ? value : NaN;
}
