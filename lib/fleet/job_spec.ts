/**
 * Describes a job of a fleet: what its workers must know to send the records of a batch.
 *
 * A job never contains a key or a secret header. Workers use their own clients, and refuse a job that they cannot
 * send as it asks.
 *
 * @module
 */
import type { RequestTemplate } from "../batch/executors/live.ts";
import type { Completions } from "../batch/completions.ts";

/** The version of what coordinators and workers exchange. Both sides must have the same one. */
export const FLEET_PROTOCOL = 1;

/** What a batch asks of its workers. */
export interface JobRequest {
  /**
   * The name of the model, as the batch requested it: a name of the configuration, or an id. `undefined` for the
   * endpoints of the `batch` section.
   */
  name: string | undefined;
  /** The ids of the models that may answer. */
  models: readonly string[];
  /** The wire format, such as `openai`; `undefined` if it follows from the server. */
  api?: string;
  /** The provider, such as `mock`. */
  provider?: string;
  /** The servers of the coordinator. Only for information: a worker never sends a key there because of it. */
  baseUrls: readonly string[];
  /** The options of every request. Plain JSON. */
  template: RequestTemplate;
  /** The rates to which all workers with the same server and key keep together, besides their own ones. */
  limits?: { maxQps?: number; maxTpm?: number; maxInFlight?: number };
  /**
   * The response cache: `false` if the batch must not use one, its settings if it uses one. By default each worker
   * decides.
   */
  cache?: false | {
    /** Lifetime of cached responses in seconds; 0 means no expiry. */
    ttl?: number;
  };
  /** The budget that all workers of the job share, in USD. */
  budget?: {
    /** The name of the budget in Redis; jobs of several models share one. */
    name: string;
    limit: number;
    allowUnpriced: boolean;
  };
}

/** A job, as it is stored in Redis. */
export interface JobSpec extends JobRequest {
  /** {@link FLEET_PROTOCOL} of the coordinator. */
  protocol: number;
  /** The version of flexllm that the coordinator has. */
  version: string;
  /** Identifies the job in keys and commands. */
  id: string;
  /** Changes with the options and the input: results of another generation are not used. */
  generation: string;
  /** Seconds after which the records of a worker that gives no sign of life go to others. */
  lease: number;
  /** Where the coordinator runs. */
  host: string;
  pid: number;
  /** The input and the number of its records, for information. */
  input?: string;
  total?: number;
}

/** What a worker sends the records of one job with. */
export interface JobClient {
  completions: Completions;
  /** Closes the client when the worker leaves the job. */
  close?(): Promise<void>;
}

/**
 * Creates the client of a job.
 *
 * @throws {FlexLLMError} if the worker cannot send the job as it asks; the message is shown to the coordinator
 */
export type ConnectJob = (spec: JobSpec) => Promise<JobClient>;
