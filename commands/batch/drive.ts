/**
 * Runs a batch to its end with progress on stderr, stopping on signals.
 *
 * @module
 */
import type { BatchSummary } from "../../lib/batch/summary.ts";
import { pendingRecords } from "../../lib/input/records.ts";
import { oneLineMessage } from "../errors/groups.ts";
import { stopOnSignals } from "../signals.ts";
import { writeWarning } from "../terminal/sentences.ts";
import type { BatchToSend } from "./context.ts";
import type { ModelCheck } from "./model_check.ts";
import { type ModelOutcome, ModelRun, ModelRuns, totalSummary } from "./model_run.ts";
import { type ModelBatch, totalCheck } from "./model_batches.ts";
import { startProgress } from "./progress/progress.ts";
import type { ReportedErrors } from "./report.ts";

/** What {@link driveBatch} needs. */
export interface DriveOptions {
  batch: BatchToSend;
  batches: readonly ModelBatch[];
  /** `undefined` if the results name the requested models. */
  models: ModelCheck | undefined;
  /** USD that earlier runs spent of the budget. */
  spentBefore: number;
}

/** A batch that has ended. */
export interface DrivenBatch {
  summary: BatchSummary;
  /** What happened to each model. */
  models: ModelOutcome[];
  errors: ReportedErrors;
}

/** Sends the records of a batch. Never rejects: errors that end it are in the outcomes of the models. */
export async function driveBatch(
  { batch, batches, models, spentBefore }: DriveOptions,
): Promise<DrivenBatch> {
  const { file, reading, flags, prepared } = batch;
  const { costTracker: { limit }, run: options } = prepared;
  const isSingle = batches.length === 1;
  const runs = batches.map((modelBatch) =>
    new ModelRun(modelBatch, { ...options, onRetry: (notice) => progress.retry(notice) })
  );
  const all = new ModelRuns(runs);
  const progress = startProgress(all, totalCheck(batches), {
    quiet: flags.quiet === true,
    input: file.name,
    endpoints: () => all.endpoints,
    budget: limit === undefined ? undefined : { limit, spentBefore },
  });
  const signals = stopOnSignals(all, progress.note);
  let outcomes: ModelOutcome[];
  try {
    outcomes = await all.all(
      (run, i) =>
        run.send(pendingRecords(file, reading, batches[i].check), (item) => {
          if (item.status === "error") {
            progress.failure(isSingle ? item : { ...item, model: run.name });
          } else {
            models?.answered(item.result.model, (text) => writeWarning(text, progress.note));
          }
        }),
      ({ name, failure }) => {
        const text = `${name} stopped, the other models continue: ${oneLineMessage(failure)}`;
        writeWarning(text, progress.note);
      },
    );
  } finally {
    progress.stop();
    signals.release();
  }
  return {
    summary: totalSummary(outcomes.map(({ summary }) => summary)),
    models: outcomes,
    errors: { failures: progress.failures(), retries: progress.retries() },
  };
}
