/**
 * The part of a client that provider batches need.
 *
 * @module
 */
import type { RequestTemplate } from "./executors/live.ts";
import type { JobClient } from "./jobs/job_client.ts";

/** Submits batches to the provider of a client. */
export interface JobProvider {
  /** Aborts when the client is closed. */
  readonly signal: AbortSignal;
  /** How often a row is sent again that failed for a reason that may pass. */
  readonly retryTimes: number;
  /** The model for records that name none. */
  readonly model: string | undefined;
  /**
   * The batch API of the client. `request` has the options for every record.
   *
   * @throws {ConfigurationError} if the client has several endpoints, its service has no batch API, or a batch
   *   API cannot take an option
   */
  jobs(request: RequestTemplate): Promise<JobClient>;
}
