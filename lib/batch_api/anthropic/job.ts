/**
 * Decodes Anthropic's message batches.
 *
 * @module
 */
import { asCount, asObject, asText, type Json } from "../../json/json.ts";
import type { Endpoint } from "../../protocols/protocol.ts";
import type { Job, JobStatus } from "../batch_api.ts";
import { asTime } from "../fields.ts";
import { requireId } from "../job_fields.ts";

/** Results are available for 29 days from the creation, not from the end. */
const RETENTION = 29 * 86_400_000;

const STATUSES: Record<string, JobStatus> = {
  in_progress: "running",
  canceling: "cancelling",
};

/** A batch just ends; why can be seen from what happened to its rows. */
function endedStatus(batch: Json, counts: Json): JobStatus {
  if (asText(batch.cancel_initiated_at) !== undefined) return "cancelled";
  return (asCount(counts.expired) ?? 0) > 0 ? "expired" : "completed";
}

/**
 * Decodes a batch.
 *
 * @throws {MalformedResponseError} if it has no id
 */
export function decodeJob(value: unknown): Job {
  const batch = asObject(value) ?? {};
  const counts = asObject(batch.request_counts) ?? {};
  const native = asText(batch.processing_status);
  const hasEnded = native === "ended";
  const createdAt = asTime(batch.created_at);
  const resultsUrl = asText(batch.results_url);
  const isArchived = asText(batch.archived_at) !== undefined;
  const totals = Object.values(counts).map(asCount).filter((count) => count !== undefined);
  return {
    id: requireId(batch.id, "batch id"),
    status: hasEnded ? endedStatus(batch, counts) : STATUSES[native ?? ""] ?? "running",
    nativeStatus: native,
    createdAt,
    expiresAt: asTime(batch.expires_at),
    resultsExpireAt: createdAt === undefined ? undefined : createdAt + RETENTION,
    rows: totals.length === 0 ? undefined : totals.reduce((sum, count) => sum + count, 0),
    // Until the batch has ended, all counts but `processing` are 0.
    counts: hasEnded
      ? { succeeded: asCount(counts.succeeded) ?? 0, failed: asCount(counts.errored) ?? 0 }
      : undefined,
    problems: isArchived
      ? [{ code: "archived", message: "Anthropic has deleted the results of this batch" }]
      : undefined,
    output: resultsUrl === undefined ? undefined : { results_url: resultsUrl },
  };
}

/**
 * Where the results are. The URL in the batch is Anthropic's own, which a proxy may not rewrite, and which the
 * key for the proxy must not be sent to: it is only used at the same origin.
 */
export function resultsPath({ id, output }: Job, endpoint: Endpoint): string {
  const url = asText(output?.results_url);
  const isSameOrigin = url !== undefined &&
    URL.parse(url)?.origin === new URL(endpoint.baseUrl).origin;
  return isSameOrigin ? url : `/messages/batches/${encodeURIComponent(id)}/results`;
}
