/**
 * Defines what is known about the jobs and workers of a fleet.
 *
 * @module
 */

/** A worker, as it reports itself. Times are in seconds, money is in USD. */
export interface WorkerStatus {
  /** Unique among all workers. */
  id: string;
  /** The host and the process, or the name that the user chose. */
  name: string;
  host: string;
  pid: number;
  /** The version of flexllm. */
  version: string;
  /** Whether it runs in the process of a coordinator. */
  isEmbedded: boolean;
  /** The job that it works on; absent while it has none. */
  job?: string;
  /** `idle` without a job, `stopping` once it takes no more records, `refused` if no job is for it. */
  state: "idle" | "working" | "stopping" | "refused";
  /** Maximum number of records in progress. */
  concurrency: number;
  /** Records in progress. */
  inFlight: number;
  /** Records answered since it started. */
  done: number;
  /** Records failed since it started. */
  failed: number;
  /** Records finished per second, recently. */
  rate: number;
  /** What its calls have cost. */
  cost: number;
  /** Whether one of its endpoints has had no failure so far. */
  isHealthy: boolean;
  /** The last error, in one line. */
  lastError?: string;
  /** Why it does not work on a job, by the job's id. */
  refusals?: Record<string, string>;
  /** The oldest records in progress: index, and seconds since the start. */
  oldest?: [index: number, seconds: number][];
  /** Seconds since it last reported, by the clock of the server; set by the reader. */
  age: number;
}

/** A job, as {@link readFleet} reports it. */
export interface JobStatus {
  id: string;
  /** The requested model, or the models of its endpoints. */
  model: string;
  host: string;
  pid: number;
  version: string;
  input?: string;
  total?: number;
  /** Records that finished, earlier runs included; as its coordinator last reported. */
  finished?: number;
  /** Whether a coordinator runs; without one, workers start nothing new. */
  isActive: boolean;
  /** Records that no worker has yet. */
  waiting: number;
  /** Records that workers have. */
  inFlight: number;
  /** Results that the coordinator has not collected yet, in groups. */
  uncollected: number;
  /** The ids of its workers. */
  workers: string[];
}

/** All jobs and workers. */
export interface FleetStatus {
  jobs: JobStatus[];
  workers: WorkerStatus[];
}

/** The counts of a coordinator, besides those of the batch. */
export interface FleetCounts {
  /** Answers that arrived for records that were answered already, and what they cost. */
  duplicates: { answers: number; cost: number; unpriced: number };
  /** Records that were handed to another worker because theirs was lost. */
  reassigned: number;
  /** Second copies that were sent because of `hedge`. */
  hedged: number;
  /** What a run that was stopped has left in Redis: records that workers have, and answers that wait. */
  left: { records: number; answers: number };
}

/** What a coordinator knows while it runs; for the progress. */
export interface FleetView extends FleetCounts {
  /** The live workers of the job, the embedded one included. */
  workers: readonly WorkerStatus[];
  /** All workers that sent results, as they last reported themselves. */
  contributors: readonly WorkerStatus[];
  /** Workers that refuse the job, or have left it because of an error, with the reasons. */
  refusals: readonly { worker: string; reason: string }[];
  /** Whether Redis can be used. */
  isConnected: boolean;
}
