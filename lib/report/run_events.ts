/**
 * Reads the events file of a batch for a report: its runs, and what happened over time.
 *
 * @module
 */
import { closeSync, fstatSync, openSync } from "node:fs";
import type { EndLine, EventLine, MarkLine, RunLine } from "../batch/events/event_lines.ts";
import { visitLines } from "../results/byte_lines.ts";
import { TimeBins } from "./time_bins.ts";

/** The events of a result file. */
export interface RunEvents {
  runs: RunLine[];
  ends: EndLine[];
  marks: MarkLine[];
  /** Channels `in_flight` and `waiting` (maximum), `succeeded`, `failed`, `prompt`, `completion`, `cost`, and `retried:CODE`. */
  time: TimeBins;
}

/** Maximum runs and marks that are kept. */
const MAX_LINES = 5000;

/** The path of the events of the result file at `path`. */
export function eventsPath(path: string): string {
  return `${path}.events`;
}

function sum(counts: Readonly<Record<string, number>> | undefined): number {
  return Object.values(counts ?? {}).reduce((total, count) => total + count, 0);
}

function addLine(events: RunEvents, line: EventLine): void {
  const { time } = events;
  if (line.type === "run" && events.runs.length < MAX_LINES) events.runs.push(line);
  if (line.type === "end" && events.ends.length < MAX_LINES) events.ends.push(line);
  if (line.type === "mark" && events.marks.length < MAX_LINES) events.marks.push(line);
  if (line.type !== "period") return;
  const add = (name: string, value: number, merge?: "max") => {
    if (value > 0) time.add(line.at, time.channel(name, merge), value);
  };
  add("in_flight", line.in_flight, "max");
  add("waiting", line.waiting, "max");
  add("succeeded", line.succeeded);
  add("failed", sum(line.failed));
  add("prompt", line.prompt_tokens);
  add("completion", line.completion_tokens);
  add("cost", line.cost);
  for (const [code, count] of Object.entries(line.retried ?? {})) add(`retried:${code}`, count);
}

/**
 * Reads the events of result files. Lines that cannot be read are skipped.
 *
 * @param paths the result files, which are parts of one run
 * @returns `undefined` if there are none
 */
export function readRunEvents(paths: readonly string[]): RunEvents | undefined {
  const events: RunEvents = { runs: [], ends: [], marks: [], time: new TimeBins() };
  const read = paths.map((path) => addEvents(events, path));
  return read.includes(true) ? events : undefined;
}

/** Adds the events of the result file at `path`. Returns whether it has some. */
function addEvents(events: RunEvents, path: string): boolean {
  let fd: number;
  try {
    fd = openSync(eventsPath(path), "r");
  } catch {
    return false;
  }
  try {
    visitLines(fd, fstatSync(fd).size, ({ buffer, start, end }) => {
      try {
        addLine(events, JSON.parse(buffer.toString("utf8", start, end)) as EventLine);
      } catch {
        // The last line of a killed process, or a later version's.
      }
    });
  } finally {
    closeSync(fd);
  }
  return true;
}
