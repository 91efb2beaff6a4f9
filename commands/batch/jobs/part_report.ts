/**
 * Describes the parts of a provider batch for reports, tables and JSON.
 *
 * @module
 */
import { holdsRows, type PartState } from "../../../lib/batch/jobs/part_events.ts";
import { statusOf } from "../../../lib/batch/jobs/part_status.ts";

/** The state of a part in one or two words. */
export function stateOf(part: PartState): string {
  return statusOf(part).replaceAll("_", " ");
}

/** Rows of a part that have a result, as far as it is known. */
export function doneRows({ phase, collected, job }: PartState): number | undefined {
  if (collected !== undefined) return collected.answered + collected.failed;
  if (phase === "dropped" || phase === "abandoned") return undefined;
  return job?.counts && job.counts.succeeded + job.counts.failed;
}

function isoTime(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

/** A part as JSON. Times are ISO 8601 (UTC). */
export function partJson(part: PartState) {
  const { job, collected } = part;
  return {
    part: part.part,
    job: job?.id ?? null,
    requested_model: part.requested_model ?? null,
    model: part.model,
    endpoint: part.endpoint,
    state: statusOf(part),
    live: holdsRows(part),
    rows: part.rows,
    succeeded: collected?.answered ?? job?.counts?.succeeded ?? null,
    failed: collected?.failed ?? job?.counts?.failed ?? null,
    left: collected?.left ?? null,
    submitted_at: isoTime(part.submittedAt),
    expires_at: isoTime(job?.expiresAt),
    results_kept_until: isoTime(job?.resultsExpireAt),
    problem: part.problem ?? null,
  };
}
