/**
 * Formats the tokens and costs of results as JSON, for `results --json` and `report --json`.
 *
 * @module
 */
import type { ResultSummary } from "./summary.ts";

/** The fields for tokens and costs. Costs are in USD; `cost` is `null` if no answer has a known price. */
export function amountsJson(
  { tokens, cost, unpriced, succeeded, spentBefore }: ResultSummary,
): Record<string, number | null> {
  return {
    prompt_tokens: tokens.prompt,
    completion_tokens: tokens.completion,
    cached_tokens: tokens.cached,
    reasoning_tokens: tokens.reasoning,
    cost: unpriced === succeeded && cost === 0 ? null : cost,
    unpriced,
    spent_before: spentBefore,
  };
}
