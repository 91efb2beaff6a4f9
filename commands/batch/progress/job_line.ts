/**
 * Formats the parts of a provider batch for the progress: how many are in which state, and their times.
 *
 * @module
 */
import type { JobView } from "../../../lib/batch/jobs/job_view.ts";
import { COUNT } from "../../terminal/format.ts";
import { printableLine } from "../../terminal/sanitize.ts";
import { approximate, type LinePart } from "./line_parts.ts";

/** States in which nothing is at the provider any more. */
const ENDED: ReadonlySet<string> = new Set([
  "collected",
  "imported",
  "dropped",
  "abandoned",
]);
/** Characters of a problem that are shown. */
const SHOWN_PROBLEM = 120;

/** The parts that are not finished. */
export function unfinished(views: readonly JobView[]): JobView[] {
  return views.filter(({ state }) => !ENDED.has(state));
}

/** The states with their counts, in the order in which parts have them. */
function stateCounts(views: readonly JobView[]): [state: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { state } of views) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts];
}

/** Rows that are done, of the parts whose provider reports it; `undefined` if none does. */
function doneRows(views: readonly JobView[]): { done: number; of: number } | undefined {
  const counted = views.filter(({ job }) => job?.counts !== undefined);
  if (counted.length === 0) return undefined;
  const done = counted.reduce(
    (sum, { job }) => sum + job!.counts!.succeeded + job!.counts!.failed,
    0,
  );
  return { done, of: counted.reduce((sum, { rows }) => sum + rows, 0) };
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** The parts of a batch at some moment. */
export interface JobsState {
  views: readonly JobView[];
  /** Milliseconds since 1970. */
  now: number;
}

/** The line about the parts. */
export function jobParts({ views, now }: JobsState): LinePart[] {
  const live = unfinished(views);
  if (live.length === 0) return [];
  const total = live.length === 1 ? "1 part" : `${live.length} parts`;
  const parts: LinePart[] = [{ text: total, rank: 2 }];
  for (const [i, [state, count]] of stateCounts(live).entries()) {
    const separator = i === 0 ? ": " as const : ", " as const;
    const text = live.length === 1 ? state : `${count} ${state}`;
    parts.push({ text, rank: i === 0 ? 1 : 6 + i, separator });
  }
  const rows = doneRows(live);
  if (rows !== undefined) {
    const text = `${COUNT.format(rows.done)} of ${COUNT.format(rows.of)} rows done`;
    parts.push({ text, short: `${rows.done}/${rows.of} rows`, rank: 3 });
  }
  const submitted = earliest(live.map(({ submittedAt }) => submittedAt));
  if (submitted !== undefined) {
    const age = approximate(Math.max(0, now - submitted) / 1000);
    parts.push({ text: `submitted ${age} ago`, short: `${age} old`, rank: 5, style: "dim" });
  }
  const expires = earliest(live.map(({ job }) => job?.expiresAt));
  if (expires !== undefined) {
    const text = expires > now
      ? `expires in ${approximate((expires - now) / 1000)}`
      : "past its expiry";
    parts.push({ text, rank: 4, style: expires > now ? "dim" : "yellow" });
  }
  const problem = live.find(({ problem }) => problem !== undefined)?.problem;
  if (problem !== undefined) {
    const text = printableLine(problem).slice(0, SHOWN_PROBLEM);
    parts.push({ text, rank: 20, style: "yellow" });
  }
  return parts;
}

/** What a log shows: the line is written again when this changes. */
export function jobsKey(views: readonly JobView[]): string {
  const live = unfinished(views);
  return JSON.stringify([stateCounts(live), doneRows(live), live.map(({ problem }) => problem)]);
}
