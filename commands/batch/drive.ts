/**
 * Runs the models of a batch to their end with progress on stderr, stopping on signals.
 *
 * @module
 */
import type { JobView } from "../../lib/batch/jobs/job_view.ts";
import type { BatchEvents } from "../../lib/batch/events/batch_events.ts";
import type { IndexedRecord } from "../../lib/batch/executor.ts";
import type { BatchSummary } from "../../lib/batch/summary.ts";
import { oneLineMessage } from "../errors/groups.ts";
import { stopOnSignals } from "../signals.ts";
import { writeSentences, writeWarning } from "../terminal/sentences.ts";
import type { BatchToSend } from "./context.ts";
import type { BatchExecutors } from "./executors.ts";
import type { ExecutorEvents, JobsOutcome } from "./jobs/jobs_run.ts";
import type { ModelCheck } from "./model_check.ts";
import { type ModelOutcome, ModelRun, ModelRuns, totalSummary } from "./model_run.ts";
import { type ModelBatch, totalCheck } from "./model_batches.ts";
import { sampledBatch } from "./events.ts";
import { type FleetOutcome, FleetWatch } from "./fleet/fleet_watch.ts";
import { writeNote } from "../terminal/output.ts";
import { type Progress, startProgress } from "./progress/progress.ts";
import type { ReportedErrors } from "./report.ts";

/** What {@link driveRuns} needs. */
export interface DriveOptions {
  batch: BatchToSend;
  batches: readonly ModelBatch[];
  /** `undefined` if the results name the requested models. */
  models: ModelCheck | undefined;
  /** USD that earlier runs spent of the budget. */
  spentBefore: number;
  /** Records the progress of the batch; `undefined` if events are off. */
  events?: BatchEvents;
}

/** A batch that has ended. */
export interface DrivenBatch {
  summary: BatchSummary;
  /** What happened to each model. */
  models: ModelOutcome[];
  errors: ReportedErrors;
  /** How provider jobs ended; `undefined` for live requests. */
  jobs?: JobsOutcome;
  /** What workers did; `undefined` without a fleet. */
  fleet?: FleetOutcome;
}

/** The message of the first Ctrl-C while jobs are at a provider. */
const STOPPING_JOBS =
  "Stopping: submitted jobs continue at the provider; press Ctrl-C again to stop immediately.";

/** How {@link driveRuns} sends the records. */
export interface Sending {
  executors(events: ExecutorEvents): BatchExecutors | Promise<BatchExecutors>;
  /** The records of the model `i`. */
  records(i: number): Iterable<IndexedRecord>;
  /** Called with the index of each record of the model `i` that has a result. */
  onResult?(i: number, index: number): void;
}

/**
 * Sends the records of a batch. Errors that end it are in the outcomes of the models.
 *
 * @throws {ConfigurationError} if a model cannot be used
 */
export async function driveRuns(
  { batch, batches, models, spentBefore, events }: DriveOptions,
  { executors, records, onResult }: Sending,
): Promise<DrivenBatch> {
  const { file, flags, prepared } = batch;
  const { costTracker: { limit }, run: options } = prepared;
  const isSingle = batches.length === 1;
  let shown: Progress | undefined;
  const note = (line: string) => {
    // A job may have to wait before the progress can start.
    if (shown !== undefined) shown.note(line);
    else if (!flags.quiet) writeNote(line);
  };
  const { executors: all, jobs, fleet } = await executors({
    onRetry(notice) {
      shown?.retry(notice);
      events?.retry(notice.error);
    },
    onNote: (text) => writeSentences(text, note),
  });
  const runs = new ModelRuns(
    batches.map((modelBatch, i) => new ModelRun(modelBatch, all[i], options)),
  );
  const watch = fleet && new FleetWatch(fleet);
  const progress = shown = startProgress(runs, totalCheck(batches), {
    quiet: flags.quiet === true,
    input: file.name,
    endpoints: () => runs.endpoints,
    budget: limit === undefined ? undefined : { limit, spentBefore },
    jobs: jobs && ((): JobView[] => jobs.flatMap((executor) => executor.views())),
    workers: watch && (() => watch.state()),
  });
  watch?.start(progress.note);
  events?.watch(sampledBatch(batch, runs, watch && (() => watch.state().workers)));
  const stoppable = {
    stop() {
      events?.mark("stopped");
      runs.stop();
    },
    abort: () => runs.abort(),
  };
  const signals = stopOnSignals(stoppable, progress.note, undefined, jobs && STOPPING_JOBS);
  let outcomes: ModelOutcome[];
  try {
    outcomes = await runs.all(
      (run, i) =>
        run.send(records(i), (item) => {
          onResult?.(i, item.index);
          events?.finished();
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
    watch?.stop();
    events?.unwatch();
    progress.stop();
    signals.release();
  }
  return {
    summary: totalSummary(outcomes.map(({ summary }) => summary)),
    models: outcomes,
    errors: { failures: progress.failures(), retries: progress.retries() },
    jobs: jobs && {
      deadlineReached: jobs.some(({ deadlineReached }) => deadlineReached),
      cancelled: jobs.some(({ cancelled }) => cancelled),
      files: jobs.flatMap(({ files = [] }) => files),
    },
    fleet: watch?.outcome(),
  };
}
