/**
 * Runs a batch to its end with progress on stderr, stopping on signals.
 *
 * @module
 */
import { LiveExecutor } from "../../lib/batch/executors/live.ts";
import type { Journal } from "../../lib/batch/journal/journal.ts";
import { BatchRun } from "../../lib/batch/run.ts";
import type { BatchSummary } from "../../lib/batch/summary.ts";
import { completionsOf } from "../../lib/client/client.ts";
import type { InputCheck } from "../../lib/input/check_input.ts";
import { pendingRecords } from "../../lib/input/records.ts";
import { stopOnSignals } from "../signals.ts";
import { writeWarning } from "../terminal/output.ts";
import type { BatchToSend } from "./context.ts";
import type { ModelCheck } from "./model_check.ts";
import { startProgress } from "./progress/progress.ts";
import type { ReportedErrors } from "./report.ts";

/** What {@link driveBatch} needs. */
export interface DriveOptions {
  batch: BatchToSend;
  journal: Journal;
  check: InputCheck;
  models: ModelCheck;
  /** USD that earlier runs spent of the budget. */
  spentBefore: number;
}

/** A batch that has ended. */
export interface DrivenBatch {
  summary: BatchSummary;
  /** The error that ended it; `undefined` if it finished or was interrupted. */
  failure: unknown;
  errors: ReportedErrors;
}

/** Sends the records of a batch. Never rejects: the error that ends a batch is in `failure`. */
export async function driveBatch(
  { batch, journal, check, models, spentBefore }: DriveOptions,
): Promise<DrivenBatch> {
  const { file, reading, flags, prepared } = batch;
  const { client, costTracker, request, run: runOptions } = prepared;
  const { limit } = costTracker;
  const executor = new LiveExecutor(completionsOf(client), {
    request,
    pending: check.pending,
    isJournaled: true,
    onRetry: (notice) => progress.retry(notice),
  });
  const run = new BatchRun(executor, {
    ...runOptions,
    journal,
    restored: check.total - check.pending,
  });
  const progress = startProgress(run, check, {
    quiet: flags.quiet === true,
    input: file.name,
    endpoints: () => client.stats,
    budget: limit === undefined ? undefined : { limit, spentBefore },
  });
  const signals = stopOnSignals(run, progress.note);
  let failure: unknown;
  try {
    for await (const items of run.items(pendingRecords(file, reading, check))) {
      for (const item of items) {
        if (item.status === "error") progress.failure(item);
        else models.answered(item.result.model, (warning) => writeWarning(warning, progress.note));
      }
    }
  } catch (error) {
    failure = error;
  } finally {
    progress.stop();
    signals.release();
  }
  const errors = { failures: progress.failures(), retries: progress.retries() };
  return { summary: run.summary(), failure, errors };
}
