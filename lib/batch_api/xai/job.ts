/**
 * Decodes xAI's batches, which have counters instead of a status.
 *
 * @module
 */
import { asCount, asObject, asText, type Json } from "../../json/json.ts";
import type { Job, JobStatus } from "../batch_api.ts";
import { asTime } from "../fields.ts";
import { nonceOf, requireId } from "../job_fields.ts";

const MINUTE = 60_000;

/**
 * For how long the counters of a cancelled batch may still change. Rows that were counted as cancelled have been
 * seen to succeed 20 seconds later.
 */
const SETTLING = 2 * MINUTE;

/** After which rows of a cancelled batch that are still pending will not be processed any more. */
const ABANDONED = 60 * MINUTE;

interface Counters {
  total: number;
  pending: number;
  succeeded: number;
  failed: number;
  cancelled: number;
}

function countersOf(batch: Json): Counters {
  const state = asObject(batch.state) ?? {};
  const count = (name: string) => asCount(state[name]) ?? 0;
  const [pending, succeeded] = [count("num_pending"), count("num_success")];
  const [failed, cancelled] = [count("num_error"), count("num_cancelled")];
  const total = asCount(state.num_requests) ?? pending + succeeded + failed + cancelled;
  return { total, pending, succeeded, failed, cancelled };
}

function cancelledStatus({ pending }: Counters, sinceCancel: number): JobStatus {
  return sinceCancel >= (pending > 0 ? ABANDONED : SETTLING) ? "cancelled" : "cancelling";
}

/** Derives the status at the server's time `now`. */
function statusOf(batch: Json, counters: Counters, now: number): JobStatus {
  const { total, pending, cancelled } = counters;
  const cancelledAt = asTime(batch.cancel_time);
  if (cancelledAt !== undefined) return cancelledStatus(counters, now - cancelledAt);
  // xAI itself cancels a batch that it cannot process.
  if (asText(batch.cancel_by_xai_message) !== undefined) {
    return pending > 0 ? "cancelling" : "failed";
  }
  if ((asTime(batch.expire_time) ?? Infinity) <= now) return "expired";
  if (total === 0) return "validating";
  if (pending > 0) return "running";
  return cancelled > 0 ? "cancelled" : "completed";
}

/**
 * Decodes a batch.
 *
 * @param now the server's time, in milliseconds since 1970
 * @throws {MalformedResponseError} if it has no id
 */
export function decodeJob(value: unknown, now: number): Job {
  const batch = asObject(value) ?? {};
  const counters = countersOf(batch);
  const { total, succeeded, failed } = counters;
  const message = asText(batch.cancel_by_xai_message);
  const expiresAt = asTime(batch.expire_time);
  return {
    id: requireId(batch.batch_id ?? batch.id, "batch id"),
    status: statusOf(batch, counters, now),
    createdAt: asTime(batch.create_time),
    expiresAt,
    // The results are deleted with the batch.
    resultsExpireAt: expiresAt,
    // Rows that are not added yet are missing here.
    rows: total,
    counts: { succeeded, failed },
    problems: message === undefined ? undefined : [{ message, code: "cancelled_by_xai" }],
    nonce: nonceOf(batch.name),
  };
}
