/**
 * `flexllm batch --estimate`: estimates tokens and cost without sending anything.
 *
 * @module
 */
import { pendingRecords } from "../../lib/input/records.ts";
import {
  type BatchEstimate,
  estimateBatch,
  type EstimateTarget,
} from "../../lib/pricing/estimate_batch.ts";
import { loadPricer } from "../../lib/pricing/price.ts";
import { writeJson, writeOutput } from "../terminal/output.ts";
import type { PricedModel } from "./connect.ts";
import type { BatchContext } from "./context.ts";
import { estimateJson, estimateLines } from "./estimate_report.ts";
import { openJournalToRead } from "./journal.ts";
import { modelBatches } from "./model_batches.ts";

/** Prints an estimate for the records that are not done yet. Changes no file. */
export async function printEstimate(batch: BatchContext): Promise<void> {
  const { file, output, reading, flags, prepared: { models } } = batch;
  const journal = output === undefined ? undefined : await openJournalToRead(output, models);
  try {
    const estimates: BatchEstimate[] = [];
    for (const { model, check } of modelBatches(batch, journal)) {
      estimates.push(
        await estimateBatch(pendingRecords(file, reading, check), {
          targets: await estimateTargets(model.targets),
          sampling: model.request,
        }),
      );
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
function totalEstimate(estimates: readonly BatchEstimate[]): BatchEstimate {
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

/** The distinct models of a batch with their prices. */
async function estimateTargets(models: readonly PricedModel[]): Promise<EstimateTarget[]> {
  const distinct = new Map(models.map((target) => [`${target.model} ${target.baseUrl}`, target]));
  return await Promise.all(
    Array.from(distinct.values(), async ({ model, baseUrl, prices }) => ({
      model,
      endpoint: baseUrl,
      price: await loadPricer(baseUrl, prices),
    })),
  );
}
