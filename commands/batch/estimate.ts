/**
 * `flexllm batch --estimate`: estimates tokens and cost without sending anything.
 *
 * @module
 */
import { Journal } from "../../lib/batch/journal/journal.ts";
import { checkInput } from "../../lib/input/check_input.ts";
import { pendingRecords } from "../../lib/input/records.ts";
import { estimateBatch, type EstimateTarget } from "../../lib/pricing/estimate_batch.ts";
import { loadPricer } from "../../lib/pricing/price.ts";
import { writeJson, writeOutput } from "../terminal/output.ts";
import type { PricedModel } from "./connect.ts";
import type { BatchContext } from "./context.ts";
import { estimateJson, estimateLines } from "./estimate_report.ts";

/** Prints an estimate for the records that are not done yet. Changes no file. */
export async function printEstimate(
  { file, output, reading, flags, prepared }: BatchContext,
): Promise<void> {
  const journal = output === undefined ? undefined : await Journal.openToRead(output);
  try {
    const check = checkInput(file, journal, { ...reading, rerunChanged: flags.rerunChanged });
    const estimate = await estimateBatch(pendingRecords(file, reading, check), {
      targets: await estimateTargets(prepared.targets),
      sampling: prepared.request,
    });
    if (flags.json) writeJson(estimateJson(estimate));
    else writeOutput(`${estimateLines(estimate).join("\n")}\n`);
  } finally {
    journal?.close();
  }
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
