/**
 * Creates the executors that send records as provider jobs, or through files.
 *
 * @module
 */
import { ExportExecutor } from "../../../lib/batch/executors/export.ts";
import { ImportExecutor } from "../../../lib/batch/executors/import.ts";
import { JobExecutor } from "../../../lib/batch/executors/jobs.ts";
import { forgetReplaced } from "../../../lib/batch/jobs/forget_replaced.ts";
import type { PartStore } from "../../../lib/batch/jobs/part_store.ts";
import { jobClientOf } from "../../../lib/client/job_client.ts";
import { systemClock } from "../../../lib/runtime/clock.ts";
import type { ModelBatch } from "../model_batches.ts";
import type { SendingMode } from "./job_settings.ts";
import type { ExecutorEvents, JobsExecutor } from "./jobs_run.ts";

/** What one model of a batch needs for its jobs. */
export interface JobsOf {
  model: Pick<ModelBatch["model"], "name" | "client" | "request">;
  journal: Pick<NonNullable<ModelBatch["journal"]>, "state" | "isDone">;
}

/** How records are sent elsewhere. */
export type JobsMode = Exclude<SendingMode, { via: "live" }>;

/** What the executors of all models share. */
export interface SharedJobsOptions {
  store: PartStore;
  mode: JobsMode;
  events: Pick<ExecutorEvents, "onNote">;
  /** Whether the results name the requested models. */
  namesModels: boolean;
  rerunChanged: boolean | undefined;
  /** How often a row is sent again that failed for a reason that may pass. */
  retryTimes: number | undefined;
}

/**
 * The executor of one model.
 *
 * @throws {ConfigurationError} if the model has no batch API
 */
export function jobsExecutor(
  { model, journal }: JobsOf,
  { store, mode, events, namesModels, rerunChanged, retryTimes }: SharedJobsOptions,
): JobsExecutor {
  const { onNote } = events;
  const client = jobClientOf(model.client, model.request, { offline: mode.via !== "provider" });
  const requestedModel = namesModels ? model.name : undefined;
  forgetReplaced(store, journal, requestedModel);
  const isDone = (index: number) => journal.state(index) === "success";
  const shared = { client, store, requestedModel, isDone, rerunChanged, onNote };
  const { wait, deadline, clean, adopt, resend, limits, pollInterval } = mode.settings;
  if (mode.via === "export") {
    return new ExportExecutor({ ...shared, folder: mode.folder, resend, rows: limits.rows });
  }
  if (mode.via === "import") return new ImportExecutor({ ...shared, paths: mode.paths });
  return new JobExecutor({
    ...shared,
    wait,
    deadline,
    clean,
    adopt,
    resend,
    limits,
    pollInterval,
    retryTimes,
    clock: systemClock,
  });
}

/**
 * The executors of a batch that is not sent live, in the order of its models.
 *
 * @throws {ConfigurationError} if a model has no batch API
 */
export function jobsExecutors(
  { batches, ...shared }: SharedJobsOptions & { batches: readonly ModelBatch[] },
): JobsExecutor[] {
  return batches.map(({ model, journal }) => jobsExecutor({ model, journal: journal! }, shared));
}
