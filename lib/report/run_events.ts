/**
 * Combines the events of a result file for a report: its runs, and what happened over time.
 *
 * @module
 */
import type { EndLine, MarkLine, PeriodLine, RunLine } from "../batch/events/event_lines.ts";
import { eventsPath, readEvents } from "../batch/events/read_events.ts";
import { TimeBins } from "./time_bins.ts";

/** A run of a batch, such as the first one or a resumption. */
export interface RecordedRun extends RunLine {
  /** Its end; absent if it was killed or is still running. */
  end?: EndLine;
}

/** The events of a result file. */
export interface RunEvents {
  runs: RecordedRun[];
  marks: MarkLine[];
  /** Channels `in_flight` and `waiting` (maximum), `succeeded`, `failed`, `prompt`, `completion`, `cost`, and `retried:CODE`. */
  time: TimeBins;
  /** Seconds of the longest period. */
  longestPeriod: number;
}

function sum(counts: Readonly<Record<string, number>> | undefined): number {
  return Object.values(counts ?? {}).reduce((total, count) => total + count, 0);
}

function addPeriod(time: TimeBins, period: PeriodLine): void {
  const add = (name: string, value: number) => {
    if (value > 0) time.add(period.at, time.channel(name), value);
  };
  add("in_flight", period.in_flight);
  add("waiting", period.waiting);
  add("succeeded", period.succeeded);
  add("failed", sum(period.failed));
  add("prompt", period.prompt_tokens);
  add("completion", period.completion_tokens);
  add("cost", period.cost);
  for (const [code, count] of Object.entries(period.retried ?? {})) add(`retried:${code}`, count);
}

/**
 * Reads the events of result files. Those that cannot be read count as absent.
 *
 * @param paths the result files, which are parts of one run
 * @returns `undefined` if there are none
 */
export function readRunEvents(paths: readonly string[]): RunEvents | undefined {
  const events: RunEvents = { runs: [], marks: [], time: new TimeBins(), longestPeriod: 0 };
  // Only codes, of which there may be any number, have to share a channel.
  for (const name of ["in_flight", "waiting"]) events.time.channel(name, "max");
  for (const name of ["succeeded", "failed", "prompt", "completion", "cost"]) {
    events.time.channel(name);
  }
  for (const path of paths) {
    try {
      for (const { run, periods, marks, end } of readEvents(eventsPath(path))) {
        events.runs.push({ ...run, end });
        events.marks.push(...marks);
        for (const period of periods) {
          addPeriod(events.time, period);
          events.longestPeriod = Math.max(events.longestPeriod, period.seconds);
        }
      }
    } catch {
      // Without events, the report just shows less.
    }
  }
  return events.runs.length > 0 ? events : undefined;
}
