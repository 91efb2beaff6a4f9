/**
 * Decides what happens when a worker leaves the job because of an error.
 *
 * @module
 */
import type { FlexLLMError } from "../../errors.ts";
import type { JobRun } from "./job_run.ts";

/** Notes that a worker has left. Without another one, the batch ends with its error. */
export async function handleDeparture(
  run: JobRun,
  worker: string,
  error: FlexLLMError,
): Promise<void> {
  const { roster } = run;
  roster.depart(worker);
  // The budget is that of the whole job.
  if (error.code === "budget_exceeded") return run.fail(error);
  try {
    await roster.refresh();
  } catch {
    return;
  }
  // Otherwise its reason is among the refusals.
  if (roster.usable.length > 0) return;
  const report = roster.find(worker);
  if (report?.isEmbedded === false) error.message = `worker ${report.name}: ${error.message}`;
  run.fail(error);
}
