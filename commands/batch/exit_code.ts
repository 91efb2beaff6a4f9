/**
 * The exit code of a batch.
 *
 * @module
 */
import type { BatchSummary } from "../../lib/batch/summary.ts";
import { BudgetExceededError } from "../../lib/errors.ts";
import { EXIT } from "../exit_codes.ts";

/** What a provider batch left undone. */
export interface Unfinished {
  /** Whether rows are at the provider, or exported. */
  submitted: boolean;
  /** Whether `flexllm batch cancel` ended the run. */
  cancelled: boolean;
  /** Whether records have no result and are not at a provider. */
  left: boolean;
}

/**
 * The exit code of a batch that ended with `failure`, or finished or was interrupted without one.
 *
 * @param unfinished what a provider batch left undone; `undefined` for live requests
 */
export function batchExitCode(
  { interrupted, failed }: Pick<BatchSummary, "interrupted" | "failed">,
  failure: unknown,
  unfinished?: Unfinished,
): number {
  if (failure instanceof BudgetExceededError) return EXIT.budget;
  // A batch that could not continue, also when its server failed, differs from one with failed records.
  if (failure !== undefined) return EXIT.usage;
  if (interrupted || unfinished?.cancelled) return EXIT.interrupted;
  if (unfinished?.submitted) return EXIT.submitted;
  return failed > 0 || unfinished?.left ? EXIT.failed : EXIT.ok;
}
