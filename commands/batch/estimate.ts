/**
 * `flexllm batch --estimate`: what a batch will take, before anything is sent.
 *
 * @module
 */
import type {
  BatchEstimate,
  EstimateTarget,
  ModelEstimate,
} from "../../lib/pricing/estimate_batch.ts";
import { loadPricer } from "../../lib/pricing/price.ts";
import { LARGE_IMAGE } from "../../lib/pricing/attachment_size.ts";
import { ENCODING, isExact } from "../../lib/pricing/tokenizer.ts";
import { dollars } from "../terminal/format.ts";
import type { PricedModel } from "./connect.ts";

/** The endpoints of a batch with their prices; those that cost the same are one. */
export async function estimateTargets(
  models: readonly PricedModel[],
): Promise<EstimateTarget[]> {
  const distinct = new Map(
    models.map((target) => [`${target.model} ${target.baseUrl}`, target]),
  );
  return await Promise.all(
    Array.from(distinct.values(), async ({ model, baseUrl, prices }) => ({
      model,
      endpoint: baseUrl,
      price: await loadPricer(baseUrl, prices),
    })),
  );
}

const number = new Intl.NumberFormat("en-US");

function modelLines(estimate: ModelEstimate, place: string): string[] {
  const { model, records, promptTokens, maxCompletionTokens, promptCost, maxCost } = estimate;
  const about = isExact(model) ? "" : "about ";
  const read = promptCost === null ? "cost unknown" : dollars(promptCost);
  const lines = [
    `${model}${place}: ${number.format(records)} ${records === 1 ? "record" : "records"}`,
    `  read:    ${about}${number.format(promptTokens)} tokens, ${read}`,
  ];
  if (maxCompletionTokens !== null) {
    const total = maxCost === null ? "" : `, ${dollars(maxCost)} in all`;
    lines.push(`  written: at most ${number.format(maxCompletionTokens)} tokens${total}`);
  } else {
    const { costPerThousand } = estimate;
    const price = costPerThousand === null
      ? ""
      : `; 1,000 tokens for each record cost ${dollars(costPerThousand * records)}`;
    lines.push(`  written: not known without --max-tokens${price}`);
  }
  return lines;
}

function totalLine({ lowestCost, highestCost }: BatchEstimate): string {
  if (lowestCost === null) return "Cost: unknown, since not all prices are known";
  const most = highestCost === null ? "unknown without --max-tokens" : dollars(highestCost);
  return `Cost: at least ${dollars(lowestCost)}, at most ${most}`;
}

/** The estimate for people. */
export function estimateLines(estimate: BatchEstimate): string[] {
  const { models, images, sampled } = estimate;
  if (models.length === 0) return ["No record is left to ask. Nothing was sent."];
  const isShared = estimate.targets > 1;
  const lines = models.flatMap((row) => modelLines(row, isShared ? ` at ${row.endpoint}` : ""));
  if (isShared) lines.push("Each endpoint is reckoned as if it got all records.");
  if (models.length > 1) lines.push(totalLine(estimate));
  if (models.some(({ model }) => !isExact(model))) {
    lines.push(
      `Counted as OpenAI's newer models do (${ENCODING}); others differ, short questions most.`,
    );
  }
  if (images > 0) {
    lines.push(
      `${number.format(images)} images, counted with ${number.format(LARGE_IMAGE)} tokens each.`,
    );
  }
  if (sampled) lines.push("A random part was counted, the rest reckoned from it.");
  lines.push("Nothing was sent.");
  return lines;
}

/** The estimate for programs. */
export function estimateJson(estimate: BatchEstimate) {
  const models = estimate.models.map((row) => ({
    model: row.model,
    endpoint: row.endpoint,
    records: row.records,
    prompt_tokens: row.promptTokens,
    max_completion_tokens: row.maxCompletionTokens,
    prompt_cost: row.promptCost,
    max_cost: row.maxCost,
    cost_per_1000_completion_tokens: row.costPerThousand,
  }));
  const { lowestCost, highestCost, images, sampled } = estimate;
  return {
    models,
    lowest_cost: lowestCost,
    highest_cost: highestCost,
    images,
    sampled,
  };
}
