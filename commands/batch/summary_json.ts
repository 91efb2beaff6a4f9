/**
 * The JSON summary of `flexllm batch --json`.
 *
 * @module
 */
import type { BatchSummary } from "../../lib/batch/summary.ts";
import { FlexLLMError } from "../../lib/errors.ts";
import { fleetJson } from "./fleet/fleet_report.ts";
import { partJson } from "./jobs/part_report.ts";
import type { ModelOutcome } from "./model_run.ts";
import type { ReportContext } from "./report.ts";

/** The cost in USD; `null` if all prices are unknown. */
function costOf({ cost, unpriced }: BatchSummary): number | null {
  return unpriced > 0 && cost === 0 ? null : cost;
}

function failureJson(failure: unknown) {
  return failure instanceof FlexLLMError ? { code: failure.code, message: failure.message } : null;
}

/** The counts of a batch, or of one of its models. */
function countsJson(summary: BatchSummary) {
  return {
    succeeded: summary.succeeded,
    failed: summary.failed,
    restored: summary.restored,
    retries: summary.retries,
    refused: summary.refused,
    cached: summary.cached,
    prompt_tokens: summary.promptTokens,
    completion_tokens: summary.completionTokens,
    cost: costOf(summary),
    unpriced: summary.unpriced,
  };
}

/** What happened to one of several models. */
function modelJson({ name, summary, latency, failure }: ModelOutcome) {
  return {
    requested_model: name,
    ...countsJson(summary),
    mean_latency: latency === undefined ? null : Math.round(latency * 1000) / 1000,
    errors: summary.errors,
    stopped_by: failureJson(failure),
  };
}

/** The summary of a batch as JSON; `failure` is the error that ended it, if any. */
export function summaryJson(summary: BatchSummary, context: ReportContext, failure?: unknown) {
  return {
    total: context.total,
    ...countsJson(summary),
    seconds: Math.round(summary.seconds * 1000) / 1000,
    interrupted: summary.interrupted,
    errors: summary.errors,
    stopped_by: failureJson(failure),
    by_model: context.costs.map((row) => ({
      model: row.model,
      endpoint: row.endpoint,
      requests: row.requests,
      prompt_tokens: row.promptTokens,
      completion_tokens: row.completionTokens,
      cost: row.cost,
      unpriced: row.unpriced,
    })),
    ...context.models.length > 1 ? { by_requested_model: context.models.map(modelJson) } : {},
    endpoints: context.endpoints.map((each) => ({
      endpoint: each.endpoint,
      model: each.model,
      answers: each.answers,
      failures: each.failures,
      last_error: each.lastError?.message ?? null,
    })),
    ...context.jobs && {
      submitted: context.jobs.submitted.rows,
      exported: context.jobs.exported.rows,
      left: context.jobs.left,
      deadline_reached: context.jobs.deadlineReached,
      cancelled: context.jobs.unfinished.cancelled,
      parts: context.jobs.parts.map(partJson),
    },
    ...context.fleet && { fleet: fleetJson(context.fleet) },
    model: context.model,
    output: context.output,
  };
}
