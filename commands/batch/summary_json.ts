/**
 * The JSON summary of `flexllm batch --json`.
 *
 * @module
 */
import type { BatchSummary } from "../../lib/batch/summary.ts";
import { FlexLLMError } from "../../lib/errors.ts";
import type { ReportContext } from "./report.ts";

/** The summary of a batch as JSON; `failure` is the error that ended it, if any. */
export function summaryJson(summary: BatchSummary, context: ReportContext, failure?: unknown) {
  return {
    total: context.total,
    succeeded: summary.succeeded,
    failed: summary.failed,
    restored: summary.restored,
    retries: summary.retries,
    refused: summary.refused,
    cached: summary.cached,
    prompt_tokens: summary.promptTokens,
    completion_tokens: summary.completionTokens,
    cost: summary.unpriced > 0 && summary.cost === 0 ? null : summary.cost,
    unpriced: summary.unpriced,
    seconds: Math.round(summary.seconds * 1000) / 1000,
    interrupted: summary.interrupted,
    errors: summary.errors,
    stopped_by: failure instanceof FlexLLMError
      ? { code: failure.code, message: failure.message }
      : null,
    by_model: context.costs.map((row) => ({
      model: row.model,
      endpoint: row.endpoint,
      requests: row.requests,
      prompt_tokens: row.promptTokens,
      completion_tokens: row.completionTokens,
      cost: row.cost,
      unpriced: row.unpriced,
    })),
    endpoints: context.endpoints.map((each) => ({
      endpoint: each.endpoint,
      model: each.model,
      answers: each.answers,
      failures: each.failures,
      last_error: each.lastError?.message ?? null,
    })),
    model: context.model,
    output: context.output,
  };
}
