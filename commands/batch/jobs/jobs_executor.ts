/**
 * Creates the executors that send records as provider jobs, or through files.
 *
 * @module
 */
import type { Executor } from "../../../lib/batch/executor.ts";
import { JobExecutor } from "../../../lib/batch/executors/jobs.ts";
import type { JobView } from "../../../lib/batch/jobs/job_view.ts";
import type { PartStore } from "../../../lib/batch/jobs/part_store.ts";
import { jobClientOf } from "../../../lib/client/job_client.ts";
import { systemClock } from "../../../lib/runtime/clock.ts";
import type { ExecutorEvents } from "../executors.ts";
import type { ModelBatch } from "../model_batches.ts";
import type { JobSettings, SendingMode } from "./job_settings.ts";

/** An executor whose records are answered elsewhere. */
export interface JobsExecutor extends Executor {
  /** The parts, for the progress. */
  views(): JobView[];
  /** Whether jobs were cancelled at the deadline. */
  readonly deadlineReached: boolean;
  /** Whether `flexllm batch cancel` cancelled the jobs. */
  readonly cancelled: boolean;
}

/** What one model of a batch needs for its jobs. */
export interface JobsOf {
  model: Pick<ModelBatch["model"], "name" | "client" | "request">;
  journal: Pick<NonNullable<ModelBatch["journal"]>, "state">;
}

/** What {@link jobsExecutors} needs. */
export interface JobsExecutorOptions {
  batches: readonly ModelBatch[];
  store: PartStore;
  mode: Exclude<SendingMode, { via: "live" }>;
  events: Pick<ExecutorEvents, "onNote">;
  /** Whether the results name the requested models. */
  namesModels: boolean;
  rerunChanged: boolean | undefined;
  /** How often a row is sent again that failed for a reason that may pass. */
  retryTimes: number | undefined;
}

/** The executor of one model's jobs. */
export function jobExecutor(
  { model, journal }: JobsOf,
  settings: JobSettings,
  { store, events, namesModels, rerunChanged, retryTimes }: Omit<
    JobsExecutorOptions,
    "batches" | "mode"
  >,
): JobsExecutor {
  const { wait, deadline, clean, adopt, resend, limits, pollInterval } = settings;
  return new JobExecutor({
    client: jobClientOf(model.client, model.request),
    store,
    requestedModel: namesModels ? model.name : undefined,
    wait,
    deadline,
    clean,
    adopt,
    resend,
    limits,
    pollInterval,
    retryTimes,
    rerunChanged,
    isDone: (index) => journal.state(index) === "success",
    clock: systemClock,
    onNote: events.onNote,
  });
}

/**
 * Creates the executors of a batch that is not sent live, in the order of its models.
 *
 * @throws {ConfigurationError} if a model has no batch API
 */
export function jobsExecutors(
  { batches, mode, ...options }: JobsExecutorOptions,
): JobsExecutor[] {
  return batches.map(({ model, journal }) =>
    jobExecutor({ model, journal: journal! }, mode.settings, options)
  );
}
