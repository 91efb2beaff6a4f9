/**
 * `flexllm batch --estimate`: what a batch will take, before anything is sent.
 *
 * @module
 */
import type { BatchEstimate, ModelEstimate } from "../lib/pricing/estimate_batch.ts";
import { ENCODING, isExact } from "../lib/pricing/tokenizer.ts";
import { dollars } from "./batch_report.ts";

const number = new Intl.NumberFormat("en-US");

function modelLines(estimate: ModelEstimate): string[] {
  const { model, records, promptTokens, maxCompletionTokens, promptCost, maxCost } = estimate;
  const about = isExact(model) ? "" : "about ";
  const read = promptCost === null ? "cost unknown" : dollars(promptCost);
  const lines = [
    `${model}: ${number.format(records)} records`,
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

/** The estimate for people. */
export function estimateLines(estimate: BatchEstimate): string[] {
  const lines = estimate.models.flatMap(modelLines);
  if (estimate.models.some(({ model }) => !isExact(model))) {
    lines.push(
      `Counted as OpenAI's newer models do (${ENCODING}); others differ by up to a third.`,
    );
  }
  if (estimate.images > 0) {
    lines.push(`${number.format(estimate.images)} images, counted with 1,600 tokens each.`);
  }
  if (estimate.sampled) lines.push("Only the beginning was counted, the rest reckoned from it.");
  lines.push("Nothing was sent.");
  return lines;
}

/** The estimate for programs. */
export function estimateJson(estimate: BatchEstimate): string {
  const models = estimate.models.map((row) => ({
    model: row.model,
    records: row.records,
    prompt_tokens: row.promptTokens,
    max_completion_tokens: row.maxCompletionTokens,
    prompt_cost: row.promptCost,
    max_cost: row.maxCost,
    cost_per_1000_completion_tokens: row.costPerThousand,
  }));
  return `${JSON.stringify({ models, images: estimate.images, sampled: estimate.sampled })}\n`;
}
