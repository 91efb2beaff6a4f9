/**
 * `flexllm batch --estimate`: estimates tokens and cost without sending anything.
 *
 * @module
 */
import { pendingRecords } from "../../lib/input/records.ts";
import type { JobLimits } from "../../lib/batch/job_options.ts";
import {
  type BatchEstimate,
  estimateBatch,
  type EstimateTarget,
} from "../../lib/pricing/estimate_batch.ts";
import { loadPricer } from "../../lib/pricing/price.ts";
import { writeJson, writeOutput } from "../terminal/output.ts";
import type { PricedModel } from "./connect.ts";
import type { BatchContext } from "./context.ts";
import { type EstimatedApi, estimatedApi, jobCount } from "./estimate_jobs.ts";
import {
  type ComparedEstimate,
  type ComparedModel,
  estimateJson,
  estimateLines,
} from "./estimate_report.ts";
import { openJournalToRead } from "./journal.ts";
import { modelBatches } from "./model_batches.ts";

/** Prints an estimate for the records that are not done yet. Changes no file. */
export async function printEstimate(batch: BatchContext): Promise<void> {
  const { file, output, reading, flags, prepared: { models, mode } } = batch;
  const journal = output === undefined ? undefined : await openJournalToRead(output, models);
  try {
    const estimates: ComparedEstimate[] = [];
    for (const { model, check } of modelBatches(batch, journal)) {
      const { targets, api } = await estimateTargets(model.targets);
      const estimate = await estimateBatch(pendingRecords(file, reading, check), {
        targets,
        sampling: model.request,
      });
      estimates.push(withJobs(estimate, api, mode.via === "live" ? {} : mode.settings.limits));
    }
    const estimate = totalEstimate(estimates);
    if (flags.json) writeJson(estimateJson(estimate));
    else writeOutput(`${estimateLines(estimate).join("\n")}\n`);
  } finally {
    journal?.close();
  }
}

function sum(costs: readonly (number | null)[]): number | null {
  return costs.reduce((a, b) => a === null || b === null ? null : a + b, 0);
}

/** The estimate of a batch that sends every record to several models: all of them are paid for. */
function totalEstimate(estimates: readonly ComparedEstimate[]): ComparedEstimate {
  if (estimates.length === 1) return estimates[0];
  // A model without pending records costs nothing, which its estimate does not know.
  const pending = estimates.filter(({ models }) => models.length > 0);
  return {
    models: pending.flatMap(({ models }) => models),
    targets: 1,
    lowestCost: sum(pending.map(({ lowestCost }) => lowestCost)),
    highestCost: sum(pending.map(({ highestCost }) => highestCost)),
    images: Math.max(...estimates.map(({ images }) => images)),
    sampled: estimates.some(({ sampled }) => sampled),
  };
}

/** Adds the number of jobs to what a batch API would cost. */
function withJobs(
  estimate: BatchEstimate,
  api: EstimatedApi | undefined,
  own: Pick<JobLimits, "rows" | "bytes">,
): ComparedEstimate {
  const models = estimate.models.map(({ batch, ...row }): ComparedModel => {
    if (batch === undefined || api === undefined) return row;
    const { limits } = api;
    const problem = row.promptCost === null ? "the price of the model is unknown" : api.problem;
    return { ...row, batch: { ...batch, jobs: jobCount(row, limits, own), problem } };
  });
  return { ...estimate, models };
}

/** The distinct models of a batch with their prices, and the batch API if there is only one. */
async function estimateTargets(
  models: readonly PricedModel[],
): Promise<{ targets: EstimateTarget[]; api: EstimatedApi | undefined }> {
  const distinct = [
    ...new Map(models.map((target) => [`${target.model} ${target.baseUrl}`, target])).values(),
  ];
  // A provider batch needs a single endpoint.
  const api = distinct.length === 1 ? await estimatedApi(distinct[0]) : undefined;
  const targets = await Promise.all(
    distinct.map(async ({ model, baseUrl, prices }): Promise<EstimateTarget> => ({
      model,
      endpoint: baseUrl,
      price: await loadPricer(baseUrl, prices),
      ...api && { batchPrice: api.price },
    })),
  );
  return { targets, api };
}
