/**
 * Creates the executors of a batch, one for each model: live requests, workers, provider jobs, or files.
 *
 * @module
 */
import type { Executor } from "../../lib/batch/executor.ts";
import { LiveExecutor } from "../../lib/batch/executors/live.ts";
import type { PartStore } from "../../lib/batch/jobs/part_store.ts";
import { completionsOf } from "../../lib/client/client.ts";
import type { BatchToSend } from "./context.ts";
import type { BatchFleet } from "./fleet/batch_fleet.ts";
import type { ExecutorEvents, JobsExecutor } from "./jobs/jobs_run.ts";
import type { ModelBatch } from "./model_batches.ts";

/** The executors of a batch. */
export interface BatchExecutors {
  /** In the order of the models. */
  executors: readonly Executor[];
  /** The same ones, if they submit jobs. */
  jobs: readonly JobsExecutor[] | undefined;
  /** The fleet that sends the records, if there is one. */
  fleet?: BatchFleet;
}

/** Sends records as live requests. */
export function liveExecutors(
  batches: readonly ModelBatch[],
  { onRetry }: Pick<ExecutorEvents, "onRetry">,
): BatchExecutors {
  const executors = batches.map(({ model: { client, request }, check }) =>
    new LiveExecutor(completionsOf(client), {
      request,
      pending: check.pending,
      isJournaled: true,
      onRetry,
    })
  );
  return { executors, jobs: undefined };
}

/**
 * Creates the executors that the flags select.
 *
 * @throws {ConfigurationError} if a model has no batch API
 */
export async function executorsOf(
  batch: BatchToSend,
  batches: readonly ModelBatch[],
  store: PartStore,
  { namesModels, ...events }: ExecutorEvents & { namesModels: boolean },
): Promise<BatchExecutors> {
  const { mode, fleet, requests: { retryTimes }, run: { rerunChanged } } = batch.prepared;
  if (fleet !== undefined) {
    return { executors: await fleet.executors(batch, batches, events), jobs: undefined, fleet };
  }
  if (mode.via === "live") return liveExecutors(batches, events);
  const { jobsExecutors } = await import("./jobs/jobs_executor.ts");
  const executors = jobsExecutors({
    batches,
    store,
    mode,
    events,
    namesModels,
    rerunChanged,
    retryTimes,
  });
  return { executors, jobs: executors };
}
