/**
 * Decodes Gemini's batches, which come as long-running operations.
 *
 * @module
 */
import { asObject, asText, type Json } from "../../json/json.ts";
import type { Job, JobStatus } from "../batch_api.ts";
import { asTime } from "../fields.ts";
import { asInteger, nonceOf, requireId } from "../job_fields.ts";

const HOUR = 3_600_000;

/** States, without the prefix `BATCH_STATE_` of the API or `JOB_STATE_` of Google's own libraries. */
const STATUSES: Record<string, JobStatus> = {
  UNSPECIFIED: "validating",
  PENDING: "queued",
  QUEUED: "queued",
  PAUSED: "queued",
  RUNNING: "running",
  UPDATING: "running",
  CANCELLING: "cancelling",
  SUCCEEDED: "completed",
  PARTIALLY_SUCCEEDED: "completed",
  FAILED: "failed",
  CANCELLED: "cancelled",
  EXPIRED: "expired",
};

/** The field `name` (in camel case) of `object`, which may also be in snake case. */
export function field(object: Json | undefined, name: string): unknown {
  if (object === undefined) return undefined;
  return object[name] ?? object[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
}

/** The output of a job. It is in two places; either may be missing. */
export function outputOf(operation: Json): Json {
  return { ...asObject(asObject(operation.metadata)?.output), ...asObject(operation.response) };
}

function statusOf(operation: Json, native: string | undefined): JobStatus {
  const status = STATUSES[native?.replace(/^(BATCH|JOB)_STATE_/, "") ?? ""];
  if (status !== undefined && status !== "validating") return status;
  if (operation.done !== true) return status ?? "running";
  return operation.error === undefined ? "completed" : "failed";
}

/**
 * Decodes a batch.
 *
 * @throws {MalformedResponseError} if it has no name
 */
export function decodeJob(value: unknown): Job {
  const operation = asObject(value) ?? {};
  // The documentation of some versions shows the batch itself instead of an operation.
  const batch = asObject(operation.metadata) ?? operation;
  const native = asText(batch.state);
  const status = statusOf(operation, native);
  const stats = asObject(field(batch, "batchStats"));
  const succeeded = asInteger(field(stats, "successfulRequestCount"));
  const failed = asInteger(field(stats, "failedRequestCount"));
  const error = asObject(operation.error);
  const createdAt = asTime(field(batch, "createTime"));
  const endedAt = asTime(field(batch, "endTime"));
  const file = asText(field(outputOf(operation), "responsesFile"));
  return {
    id: requireId(operation.name, "batch name"),
    status,
    nativeStatus: native,
    createdAt,
    expiresAt: createdAt === undefined ? undefined : createdAt + 48 * HOUR,
    // How long results are kept is not documented; files of the Files API live for 48 hours.
    resultsExpireAt: endedAt === undefined ? undefined : endedAt + 48 * HOUR,
    rows: asInteger(field(stats, "requestCount")),
    counts: succeeded === undefined && failed === undefined
      ? undefined
      : { succeeded: succeeded ?? 0, failed: failed ?? 0 },
    problems: error === undefined || status === "cancelled" ? undefined : [{
      message: asText(error.message) ?? "the batch failed",
      code: asText(error.status) ?? asText(String(error.code ?? "")),
    }],
    model: asText(batch.model)?.replace(/^models\//, ""),
    output: file === undefined ? undefined : { responsesFile: file },
    nonce: nonceOf(field(batch, "displayName")),
    inputFile: asText(field(asObject(field(batch, "inputConfig")), "fileName")),
  };
}
