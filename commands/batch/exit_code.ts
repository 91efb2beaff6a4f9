/**
 * The exit code of a batch.
 *
 * @module
 */
import type { BatchSummary } from "../../lib/batch/summary.ts";
import { BudgetExceededError } from "../../lib/errors.ts";
import { EXIT } from "../exit_codes.ts";

/** The exit code of a batch that ended with `failure`, or finished or was interrupted without one. */
export function batchExitCode(
  { interrupted, failed }: Pick<BatchSummary, "interrupted" | "failed">,
  failure: unknown,
): number {
  if (failure instanceof BudgetExceededError) return EXIT.budget;
  // A batch that could not continue, also when its server failed, differs from one with failed records.
  if (failure !== undefined) return EXIT.usage;
  if (interrupted) return EXIT.interrupted;
  return failed > 0 ? EXIT.failed : EXIT.ok;
}
