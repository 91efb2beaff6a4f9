/**
 * Gives provider jobs access to a client.
 *
 * @module
 */
import type { RequestTemplate } from "../batch/executors/live.ts";
import type { JobClient } from "../batch/jobs/job_client.ts";
import { type LLMClient, pipelineOf } from "./client.ts";
import { endpointJobs, type JobClientOptions } from "./endpoint_jobs.ts";

/**
 * The interface through which provider jobs use `client`. `request` has the options for every record.
 *
 * @throws {ConfigurationError} if the client has several endpoints, its service has no batch API, or a batch
 *   API cannot take an option
 */
export function jobClientOf(
  client: LLMClient,
  request: RequestTemplate = {},
  options: JobClientOptions = {},
): JobClient {
  return endpointJobs(pipelineOf(client), request, options);
}
