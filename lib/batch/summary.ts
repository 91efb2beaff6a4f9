/**
 * The counts of a batch, during the run and at its end.
 *
 * @module
 */
import type { ChatResult } from "../chat/result.ts";
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";
import type { FlexLLMError, PartialCompletion } from "../errors.ts";

/** The counts of a batch. */
export interface BatchSummary {
  /** Records answered in this run. */
  succeeded: number;
  /** Records that failed after all retries, or whose restored answer the schema rejected. */
  failed: number;
  /** Records whose result the result file already had. */
  restored: number;
  /** Attempts that failed and were retried. */
  retries: number;
  /** Records among `succeeded` whose answer is a refusal or was blocked by a filter. */
  refused: number;
  /** Records among `succeeded` that were answered from the response cache. */
  cached: number;
  /** Input tokens, as far as servers reported them. */
  promptTokens: number;
  /** Output tokens, as far as servers reported them. */
  completionTokens: number;
  /** Cost in USD, including failed records, as far as prices are known. */
  cost: number;
  /** Answers whose price is unknown. */
  unpriced: number;
  /** Seconds since the run started. */
  seconds: number;
  /** Whether the run was stopped before all records were sent. */
  interrupted: boolean;
  /** The number of failed records by error code. */
  errors: Record<string, number>;
}

/** All counts at zero. */
export function emptySummary(): BatchSummary {
  return {
    succeeded: 0,
    failed: 0,
    restored: 0,
    retries: 0,
    refused: 0,
    cached: 0,
    promptTokens: 0,
    completionTokens: 0,
    cost: 0,
    unpriced: 0,
    seconds: 0,
    interrupted: false,
    errors: {},
  };
}

/** Counts a record that was answered. */
export function countResult(summary: BatchSummary, result: ChatResult): void {
  summary.succeeded++;
  if (result.cached) summary.cached++;
  if (result.finishReason === "content_filter") summary.refused++;
  countUsage(summary, result);
}

type Billed = Pick<PartialCompletion, "usage" | "cost"> & { cached?: boolean };

function countUsage(summary: BatchSummary, { usage, cost, cached }: Billed): void {
  // Paid for by the request that filled the cache.
  if (cached) return;
  if (usage) {
    summary.promptTokens += usage.promptTokens;
    summary.completionTokens += usage.completionTokens;
  }
  if (cost === null) summary.unpriced++;
  else summary.cost += cost ?? 0;
}

/** Counts a failed record and the cost of its attempts. */
export function countFailure(summary: BatchSummary, error: FlexLLMError): void {
  summary.failed++;
  const answer = error instanceof SchemaMismatchError ? error.result : undefined;
  const billed = answer ?? error.partial;
  if (billed !== undefined) countUsage(summary, billed);
  countError(summary, error);
}

/** Counts a restored answer that its schema rejected. An earlier run has paid for it. */
export function countRejected(summary: BatchSummary, error: FlexLLMError): void {
  summary.failed++;
  countError(summary, error);
}

function countError({ errors }: BatchSummary, { code }: FlexLLMError): void {
  errors[code] = (errors[code] ?? 0) + 1;
}
