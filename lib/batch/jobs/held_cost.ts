/**
 * Calculates the money that the parts of a batch hold: what their jobs can still cost.
 *
 * A part's reservation is in its log before anything is sent, so it survives a kill. Each row holds an equal
 * share until its result is in the result file.
 *
 * @module
 */
import { holdsRows, type PartState } from "./part_events.ts";

/** USD held by a part of which `left` rows have no result yet; 0 if it has no job, or no known price. */
export function heldCost(part: PartState, left: number): number {
  if (!holdsRows(part) || part.rows === 0) return 0;
  return (part.reserved ?? 0) * Math.min(left, part.rows) / part.rows;
}

/**
 * USD that count as spent on parts that the user gave up (`--resend`): their jobs may run and be billed, but
 * nobody will see the results.
 */
export function abandonedCost(parts: readonly PartState[]): number {
  return parts.reduce(
    (sum, { phase, reserved }) => phase === "abandoned" ? sum + (reserved ?? 0) : sum,
    0,
  );
}
