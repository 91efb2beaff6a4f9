/**
 * Decodes OpenRouter's batches.
 *
 * @module
 */
import { asCount, asObject, asText } from "../../json/json.ts";
import { decodeCost } from "../../protocols/openai_chat/usage.ts";
import type { Job, JobStatus } from "../batch_api.ts";
import { asTime } from "../fields.ts";
import { requireId } from "../job_fields.ts";

/** Answers are kept for 30 days after the end. */
const RETENTION = 30 * 86_400_000;

const STATUSES: Record<string, JobStatus> = {
  validating: "validating",
  in_progress: "running",
  finalizing: "finalizing",
  completed: "completed",
  failed: "failed",
  expired: "expired",
  cancelling: "cancelling",
  cancelled: "cancelled",
};

/**
 * Decodes a batch.
 *
 * @throws {MalformedResponseError} if it has no id
 */
export function decodeJob(value: unknown): Job {
  const batch = asObject(value) ?? {};
  const counts = asObject(batch.request_counts);
  const native = asText(batch.status);
  const error = asObject(batch.error);
  const endedAt = asTime(batch.finalized_at);
  return {
    id: requireId(batch.id, "batch id"),
    status: STATUSES[native ?? ""] ?? "running",
    nativeStatus: native,
    createdAt: asTime(batch.created_at),
    expiresAt: asTime(batch.expires_at),
    resultsExpireAt: endedAt === undefined ? undefined : endedAt + RETENTION,
    rows: asCount(counts?.total),
    counts: counts && {
      succeeded: asCount(counts.completed) ?? 0,
      failed: asCount(counts.failed) ?? 0,
    },
    problems: error && [{
      message: asText(error.message) ?? "the batch failed",
      code: asText(error.code) ?? asText(error.type),
    }],
    cost: decodeCost(asObject(batch.usage)),
    model: asText(batch.model),
  };
}
