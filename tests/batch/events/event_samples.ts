/** Lines of events files for tests. */
import type {
  EndLine,
  MarkLine,
  PeriodLine,
  RunLine,
} from "../../../lib/batch/events/event_lines.ts";

export function runLine(changes: Partial<RunLine> = {}): RunLine {
  return {
    type: "run",
    at: "2026-11-01T10:00:00.000Z",
    version: "1.0.0",
    runtime: "deno 2.9.6",
    models: ["m"],
    endpoints: ["https://example.com/v1"],
    records: 10,
    restored: 0,
    concurrency: 4,
    settings: { via: "live", concurrency: 4 },
    ...changes,
  };
}

/** A period that starts at `second`. */
export function period(second: number, changes: Partial<PeriodLine> = {}): PeriodLine {
  return {
    type: "period",
    at: second * 1000,
    seconds: 1,
    in_flight: 4,
    waiting: 1,
    succeeded: 1,
    prompt_tokens: 10,
    completion_tokens: 20,
    cost: 0.001,
    ...changes,
  };
}

export function mark(at: number, changes: Partial<MarkLine> = {}): MarkLine {
  return { type: "mark", at, kind: "rate_limited", endpoint: "https://example.com/v1", ...changes };
}

export const END: EndLine = {
  type: "end",
  at: "2026-11-01T11:00:00.000Z",
  outcome: "done",
  succeeded: 10,
  failed: 0,
  duration: 3600,
};
