/**
 * Describes what can be learned about a line of a result file without parsing all of it.
 *
 * @module
 */
import type { ResultRecord } from "../batch/journal/result_line.ts";

/** Thirty years. */
const MAX_SECONDS = 1e9;
/** USD. */
const MAX_COST = 1e9;
/** Of tokens and attempts. */
const MAX_COUNT = 1e12;
/** The end of the year 9999, in milliseconds since 1970. */
const MAX_TIME = 253_402_300_799_999;

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
    this.resetTokens();
    this.cached = false;
    this.at = NaN;
    this.queued = NaN;
    this.firstToken = NaN;
    this.attempts = NaN;
    this.endpoint = undefined;
  }

  /** Forgets the token counts. */
  resetTokens(): void {
    this.promptTokens = NaN;
    this.completionTokens = NaN;
    this.cachedTokens = NaN;
    this.reasoningTokens = NaN;
  }

  /**
   * Makes numbers that no batch writes count as absent: negative ones, infinity, parts of attempts, and those that
   * are too large to be added up or to be a date.
   */
  checkRanges(): void {
    if (!(this.latency >= 0 && this.latency <= MAX_SECONDS)) this.latency = NaN;
    if (!(this.queued >= 0 && this.queued <= MAX_SECONDS)) this.queued = NaN;
    if (!(this.firstToken >= 0 && this.firstToken <= MAX_SECONDS)) this.firstToken = NaN;
    if (!(this.cost >= 0 && this.cost <= MAX_COST)) this.cost = NaN;
    if (!(this.spentBefore >= 0 && this.spentBefore <= MAX_COST)) this.spentBefore = NaN;
    if (!(this.promptTokens >= 0 && this.promptTokens <= MAX_COUNT)) this.promptTokens = NaN;
    if (!(this.completionTokens >= 0 && this.completionTokens <= MAX_COUNT)) {
      this.completionTokens = NaN;
    }
    if (!(this.cachedTokens >= 0 && this.cachedTokens <= MAX_COUNT)) this.cachedTokens = NaN;
    if (!(this.reasoningTokens >= 0 && this.reasoningTokens <= MAX_COUNT)) {
      this.reasoningTokens = NaN;
    }
    if (!(Number.isInteger(this.attempts) && this.attempts >= 0 && this.attempts <= MAX_COUNT)) {
      this.attempts = NaN;
    }
    if (!(this.at >= 0 && this.at <= MAX_TIME)) this.at = NaN;
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
