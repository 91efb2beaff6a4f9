/**
 * Shows exported parts in reports.
 *
 * @module
 */
import type { JobView } from "./job_view.ts";
import type { PartState } from "./part_events.ts";

/** The view of an exported part. */
export function exportView(part: PartState, state: string = part.phase): JobView {
  return {
    part: part.part,
    requestedModel: part.requested_model,
    model: part.model,
    endpoint: part.endpoint,
    rows: part.rows,
    state,
    job: undefined,
    submittedAt: part.submittedAt,
    problem: undefined,
  };
}
