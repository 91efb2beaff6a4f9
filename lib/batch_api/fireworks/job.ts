/**
 * Decodes Fireworks' batch inference jobs.
 *
 * @module
 */
import { asObject, asText } from "../../json/json.ts";
import type { Job, JobStatus } from "../batch_api.ts";
import { asTime } from "../fields.ts";
import { asInteger, nonceOf, requireId } from "../job_fields.ts";
import { accountOf } from "./account.ts";

const DAY = 86_400_000;

/** States, without the prefix `JOB_STATE_`. Those that are not listed belong to running jobs. */
const STATUSES: Record<string, JobStatus> = {
  UNSPECIFIED: "validating",
  CREATING: "validating",
  CREATING_INPUT_DATASET: "validating",
  VALIDATING: "validating",
  PENDING: "queued",
  RE_QUEUEING: "queued",
  RUNNING: "running",
  WRITING_RESULTS: "finalizing",
  CANCELLING: "cancelling",
  COMPLETED: "completed",
  FAILED: "failed",
  EXPIRED: "expired",
  CANCELLED: "cancelled",
  DELETING: "cancelled",
  DELETING_CLEANING_UP: "cancelled",
};

/**
 * Decodes a job.
 *
 * @throws {MalformedResponseError} if it has no name
 */
export function decodeJob(value: unknown): Job {
  const job = asObject(value) ?? {};
  const id = requireId(job.name, "job name");
  const native = asText(job.state);
  const status = STATUSES[native?.replace(/^JOB_STATE_/, "") ?? ""] ?? "running";
  const progress = asObject(job.jobProgress);
  const succeeded = asInteger(progress?.successfullyProcessedRequests);
  const failed = asInteger(progress?.failedRequests);
  const reason = asObject(job.status);
  const message = asText(reason?.message);
  const createdAt = asTime(job.createTime);
  const dataset = asText(job.outputDatasetId);
  const isProblem = status === "failed" || status === "expired";
  return {
    id,
    status,
    nativeStatus: native,
    createdAt,
    expiresAt: asTime(job.expireTime) ?? (createdAt === undefined ? undefined : createdAt + DAY),
    rows: asInteger(progress?.totalInputRequests) || undefined,
    counts: succeeded === undefined && failed === undefined
      ? undefined
      : { succeeded: succeeded ?? 0, failed: failed ?? 0 },
    problems: isProblem && message !== undefined
      ? [{ message, code: asText(reason?.code) }]
      : undefined,
    model: asText(job.model),
    output: dataset === undefined ? undefined : { dataset: fullName(id, dataset) },
    nonce: nonceOf(id),
    inputFile: asText(job.inputDatasetId) && fullName(id, String(job.inputDatasetId)),
  };
}

/** The full name of a dataset of a job. */
function fullName(job: string, dataset: string): string {
  return dataset.includes("/") ? dataset : `${accountOf(job)}/datasets/${dataset}`;
}
