/**
 * The counts of a batch: while it runs, and at its end.
 *
 * @module
 */
import type { ChatResult } from "../chat/result.ts";
import type { FlexLLMError, PartialCompletion } from "../errors.ts";
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";

/** What a batch has done. */
export interface BatchSummary {
  /** Records asked for in this run that were answered. */
  succeeded: number;
  /** Records that failed, all retries included. */
  failed: number;
  /** Records that were done in the result file before. */
  restored: number;
  /** Tries that failed and were repeated. */
  retries: number;
  /** Of `succeeded`, answers that were refused by the model or filtered. */
  refused: number;
  /** Answers that came from the response cache. */
  cached: number;
  /** Tokens read, as far as the server told. */
  promptTokens: number;
  /** Tokens written, as far as the server told. */
  completionTokens: number;
  /** USD, of the answers whose price is known. */
  cost: number;
  /** Answers whose price is not known. */
  unpriced: number;
  /** Seconds since the run began. */
  seconds: number;
  /** Whether the run was stopped before all records were tried. */
  interrupted: boolean;
  /** How often each kind of failure happened, by its code. */
  errors: Record<string, number>;
}

/** The counts of a run that has not begun. */
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

/** Counts an answer. */
export function countResult(summary: BatchSummary, result: ChatResult): void {
  summary.succeeded++;
  if (result.cached) summary.cached++;
  if (result.finishReason === "content_filter") summary.refused++;
  countSpent(summary, result);
}

/** Counts what an answer has taken. */
function countSpent(summary: BatchSummary, { usage, cost, cached }: Spent): void {
  // Its tokens were paid for once, by another request.
  if (cached) return;
  if (usage) {
    summary.promptTokens += usage.promptTokens;
    summary.completionTokens += usage.completionTokens;
  }
  if (cost === null) summary.unpriced++;
  else summary.cost += cost ?? 0;
}

type Spent = Pick<PartialCompletion, "usage" | "cost"> & { cached?: boolean };

/** Counts a failure. */
export function countFailure(summary: BatchSummary, error: FlexLLMError): void {
  summary.failed++;
  const answer = error instanceof SchemaMismatchError ? error.result : undefined;
  const spent = answer ?? error.partial;
  if (spent !== undefined) countSpent(summary, spent);
  summary.errors[error.code] = (summary.errors[error.code] ?? 0) + 1;
}
