/**
 * Derives the state of a part from its events.
 *
 * @module
 */
import type { PartEvent, PartState } from "./part_events.ts";

/** The event without its type, part and time. */
function plannedFields(event: Extract<PartEvent, { type: "planned" }>) {
  const { type: _type, at: _at, ...planned } = event;
  return planned;
}

function serverTime(at: string | undefined): number | undefined {
  const time = Date.parse(at ?? "");
  return Number.isNaN(time) ? undefined : time;
}

/**
 * The state after an event. The first event of a part is `planned`.
 *
 * @param before the state before it; `undefined` for `planned`
 */
export function applyEvent(before: PartState | undefined, event: PartEvent): PartState {
  const changedAt = Date.parse(event.at);
  if (event.type === "planned") {
    return {
      ...plannedFields(event),
      phase: "planned",
      plannedAt: changedAt,
      changedAt,
      attempts: 0,
    };
  }
  if (before === undefined) throw new Error(`the part ${event.part} was never planned`);
  const state: PartState = { ...before, changedAt };
  switch (event.type) {
    case "uploaded":
      return { ...state, phase: "uploaded", uploaded: event.uploaded };
    case "creating":
      return {
        ...state,
        phase: "creating",
        attempts: event.attempt,
        creatingAt: before.creatingAt ?? changedAt,
        creatingServerAt: before.creatingAt === undefined
          ? serverTime(event.server_at)
          : before.creatingServerAt,
      };
    case "unknown":
      return { ...state, phase: "unknown", problem: event.error };
    case "refused":
      return {
        ...state,
        phase: before.uploaded === undefined ? "planned" : "uploaded",
        problem: event.error,
      };
    case "submitted":
      return {
        ...state,
        phase: "submitted",
        job: event.job,
        adopted: event.adopted,
        submittedAt: changedAt,
        problem: undefined,
      };
    case "status":
      return { ...state, job: event.job, problem: undefined };
    case "cancelling":
      return { ...state, cancelling: event.why };
    case "ended":
      return { ...state, phase: "ended", job: event.job, problem: undefined };
    case "collected": {
      const { answered, failed, left, missing } = event;
      return { ...state, phase: "collected", collected: { answered, failed, left, missing } };
    }
    case "dropped":
    case "abandoned":
      return { ...state, phase: event.type, problem: event.why };
    case "cleaned":
      // The money of an abandoned part counts as spent for ever.
      return before.phase === "collected" ? { ...state, phase: "cleaned" } : state;
    case "exported":
      return { ...state, phase: "exported" };
  }
}
