/**
 * Describes a worker for status and progress.
 *
 * @module
 */
import { hostname } from "node:os";
import process from "node:process";
import { VERSION } from "../../version.ts";
import type { WorkerStatus } from "../fleet_status.ts";
import type { JobClient, JobSpec } from "../job_spec.ts";
import type { JobWorker } from "./job_worker.ts";
import type { WorkerCounts } from "./record_calls.ts";
import type { WorkerOptions } from "./worker_options.ts";

/** The oldest records that a report names. */
const OLDEST = 20;
/** Maximum characters of the last error. */
const MAX_ERROR = 300;

/** The job that a worker works on. */
export interface CurrentJob {
  spec: JobSpec;
  client: JobClient;
  worker: JobWorker;
}

/** What a report is made of. */
export interface ReportedWorker {
  id: string;
  options: WorkerOptions;
  counts: WorkerCounts;
  job: CurrentJob | undefined;
  refusals: WorkerStatus["refusals"];
  rate: number;
  isStopping: boolean;
}

/** What a worker reports. */
export function workerStatus(reported: ReportedWorker): WorkerStatus {
  const { id, options, counts, job, refusals, rate } = reported;
  const { name = `${hostname()}:${process.pid}`, isEmbedded = false } = options;
  return {
    id,
    name,
    host: hostname(),
    pid: process.pid,
    version: VERSION,
    isEmbedded,
    job: job?.spec.id,
    state: activityOf(reported),
    concurrency: job === undefined ? options.concurrency ?? 0 : concurrencyOf(options, job.client),
    inFlight: job?.worker.inFlight ?? 0,
    done: counts.done,
    failed: counts.failed,
    rate: Math.round(rate * 100) / 100,
    cost: counts.cost,
    isHealthy: job === undefined ||
      job.client.completions.stats.some(({ failures }) => failures === 0),
    lastError: counts.lastError?.split("\n")[0].slice(0, MAX_ERROR),
    refusals,
    oldest: job?.worker.oldest(OLDEST),
    age: 0,
  };
}

/** Maximum records in progress with a job's client. */
export function concurrencyOf(
  { concurrency = Infinity }: WorkerOptions,
  { completions }: JobClient,
): number {
  return Math.min(concurrency, completions.concurrencyLimit);
}

function activityOf({ isStopping, job, refusals }: ReportedWorker): WorkerStatus["state"] {
  if (isStopping) return "stopping";
  if (job !== undefined) return "working";
  return refusals === undefined ? "idle" : "refused";
}
