/**
 * The counts of a batch: while it runs, and at its end.
 *
 * @module
 */
import type { ChatResult } from "../chat/result.ts";
import { type FlexLLMError, SchemaMismatchError } from "../errors.ts";

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

/** Counts an answer in. */
export function countResult(summary: BatchSummary, result: ChatResult): void {
  summary.succeeded++;
  if (result.cached) {
    // Its tokens were paid for once, by another run.
    summary.cached++;
    return;
  }
  countSpent(summary, result);
}

/** Counts what an answer has taken. */
function countSpent(summary: BatchSummary, result: ChatResult): void {
  if (result.usage !== null) {
    summary.promptTokens += result.usage.promptTokens;
    summary.completionTokens += result.usage.completionTokens;
  }
  if (result.cost === null) summary.unpriced++;
  else summary.cost += result.cost;
}

/** Counts a failure in. */
export function countFailure(summary: BatchSummary, error: FlexLLMError): void {
  summary.failed++;
  if (error instanceof SchemaMismatchError && error.result !== undefined) {
    countSpent(summary, error.result);
  }
  summary.errors[error.code] = (summary.errors[error.code] ?? 0) + 1;
}
