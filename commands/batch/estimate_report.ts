/**
 * Formats the estimate of a batch, as text or JSON.
 *
 * @module
 */
import { LARGE_IMAGE } from "../../lib/pricing/attachment_size.ts";
import type {
  BatchEstimate,
  EstimatedCosts,
  ModelEstimate,
} from "../../lib/pricing/estimate_batch.ts";
import { ENCODING, isExact } from "../../lib/pricing/tokenizer.ts";
import { COUNT, counted, dollars } from "../terminal/format.ts";

/** The estimate for one model, with that of its batch API if it has one. */
export type ComparedModel = Omit<ModelEstimate, "batch"> & { batch?: JobsEstimate };

/** The estimate for a batch API. */
export interface JobsEstimate extends EstimatedCosts {
  jobs: number;
  /** Why the price is unknown, if it is. */
  problem: string;
}

/** The estimate of a batch, with the costs of sending it live and as a provider batch. */
export type ComparedEstimate = Omit<BatchEstimate, "models"> & { models: ComparedModel[] };

/** What the records would cost through the batch API. */
function batchLine({ batch, records }: ComparedModel): string[] {
  if (batch === undefined) return [];
  const { promptCost, maxCost, costPerThousand, jobs, problem } = batch;
  const costs = promptCost === null ? [`cost unknown (${problem})`] : [
    `${dollars(promptCost)} for the input`,
    ...maxCost === null ? [] : [`${dollars(maxCost)} in total`],
    ...maxCost !== null || costPerThousand === null
      ? []
      : [`${dollars(costPerThousand * records)} for 1,000 tokens per record`],
  ];
  return [`  batch:  ${costs.join(", ")}; about ${counted(jobs, "job")} (--via provider)`];
}

function modelLines(estimate: ComparedModel, location: string): string[] {
  const { model, records, promptTokens, maxCompletionTokens, promptCost, maxCost } = estimate;
  const about = isExact(model) ? "" : "about ";
  const inputCost = promptCost === null ? "cost unknown" : dollars(promptCost);
  const lines = [
    `${model}${location}: ${counted(records, "record")}`,
    `  input:  ${about}${counted(promptTokens, "token")}, ${inputCost}`,
  ];
  if (maxCompletionTokens !== null) {
    const total = maxCost === null ? "" : `, ${dollars(maxCost)} in total`;
    lines.push(`  output: at most ${counted(maxCompletionTokens, "token")}${total}`);
  } else {
    const { costPerThousand } = estimate;
    const price = costPerThousand === null
      ? ""
      : `; 1,000 tokens per record would cost ${dollars(costPerThousand * records)}`;
    lines.push(`  output: unknown without --max-tokens${price}`);
  }
  return [...lines, ...batchLine(estimate)];
}

function totalLine({ lowestCost, highestCost }: ComparedEstimate): string {
  if (lowestCost === null) return "Cost: unknown, because some prices are unknown";
  const highest = highestCost === null ? "unknown without --max-tokens" : dollars(highestCost);
  return `Cost: at least ${dollars(lowestCost)}, at most ${highest}`;
}

/** The estimate as text. */
export function estimateLines(estimate: ComparedEstimate): string[] {
  const { models, images, sampled } = estimate;
  if (models.length === 0) return ["There are no records to send. Nothing was sent."];
  const isShared = estimate.targets > 1;
  const hasSameModel = new Set(models.map(({ model }) => model)).size < models.length;
  const lines = models.flatMap((row) =>
    modelLines(row, isShared || hasSameModel ? ` at ${row.endpoint}` : "")
  );
  if (isShared) lines.push("Each endpoint is estimated as if it received all records.");
  if (models.length > 1) lines.push(totalLine(estimate));
  if (models.some(({ model }) => !isExact(model))) {
    lines.push(
      `Counted with OpenAI's ${ENCODING} tokenizer; other models differ, especially for short prompts.`,
    );
  }
  if (images > 0) {
    lines.push(
      `${COUNT.format(images)} ${images === 1 ? "image" : "images"}, counted as ` +
        `${COUNT.format(LARGE_IMAGE)} tokens each.`,
    );
  }
  if (sampled) lines.push("Extrapolated from a random sample of the records.");
  lines.push("Nothing was sent.");
  return lines;
}

/** The estimate as JSON. */
export function estimateJson(estimate: ComparedEstimate) {
  const models = estimate.models.map((row) => ({
    model: row.model,
    endpoint: row.endpoint,
    records: row.records,
    prompt_tokens: row.promptTokens,
    max_completion_tokens: row.maxCompletionTokens,
    prompt_cost: row.promptCost,
    max_cost: row.maxCost,
    cost_per_1000_completion_tokens: row.costPerThousand,
    batch: row.batch && {
      prompt_cost: row.batch.promptCost,
      max_cost: row.batch.maxCost,
      cost_per_1000_completion_tokens: row.batch.costPerThousand,
      jobs: row.batch.jobs,
      ...row.batch.promptCost === null ? { unknown: row.batch.problem } : {},
    },
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
