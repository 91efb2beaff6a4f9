/**
 * Formats the parts of a provider batch as a table.
 *
 * @module
 */
import { holdsRows, type PartState } from "../../../lib/batch/jobs/part_events.ts";
import { approximate } from "../progress/line_parts.ts";
import { COUNT, counted } from "../../terminal/format.ts";
import type { Style } from "../../terminal/output.ts";
import { type Column, table, type TableOptions } from "../../terminal/table.ts";
import { doneRows, stateOf } from "./part_report.ts";

/** Colors of states that need attention, or are done. */
const STYLES: Readonly<Record<string, Style>> = {
  unclear: "red",
  failed: "red",
  expired: "yellow",
  cancelling: "yellow",
  collected: "green",
  "to be collected": "green",
  completed: "green",
};

function rows(part: PartState): string {
  const total = COUNT.format(part.rows);
  const done = doneRows(part);
  return done === undefined ? total : `${COUNT.format(done)}/${total}`;
}

/** The time since, or until, `time`. */
function since(time: number | undefined, now: number): string {
  return time === undefined ? "" : approximate(Math.max(0, now - time) / 1000);
}

function until(time: number | undefined, now: number): string {
  if (time === undefined) return "";
  return time <= now ? "passed" : approximate((time - now) / 1000);
}

function day(time: number | undefined): string {
  return time === undefined ? "" : new Date(time).toISOString().slice(0, 16).replace("T", " ");
}

function summary(parts: readonly PartState[]): string {
  const live = parts.filter(holdsRows);
  const collected = parts.reduce(
    (sum, { collected }) => sum + (collected?.answered ?? 0) + (collected?.failed ?? 0),
    0,
  );
  const notRun = parts.reduce((sum, { collected }) => sum + (collected?.left ?? 0), 0);
  const open = live.reduce((sum, part) => sum + part.rows, 0);
  return [
    `${counted(collected, "row")} collected`,
    ...notRun > 0 ? [`${counted(notRun, "row")} ended without an answer`] : [],
    live.length === 0
      ? "no unfinished parts"
      : `${counted(open, "row")} in ${counted(live.length, "unfinished part")}`,
  ].join("; ");
}

/** The lines of the table. `now` is in milliseconds since 1970. */
export function statusLines(
  parts: readonly PartState[],
  now: number,
  options: TableOptions = {},
): string[] {
  const models = new Set(parts.map(({ requested_model, model }) => requested_model ?? model));
  const live = parts.filter(holdsRows);
  const columns: Column[] = [
    { title: "part" },
    { title: "job", untruncated: true },
    ...models.size > 1 ? [{ title: "model" }] : [],
    { title: "state" },
    { title: "rows", align: "right" },
    { title: "age", align: "right" },
    ...live.some(({ job }) => job?.expiresAt)
      ? [{ title: "expires in", align: "right" } as const]
      : [],
    ...live.some(({ job }) => job?.resultsExpireAt) ? [{ title: "results kept until (UTC)" }] : [],
  ];
  const titles = new Set(columns.map(({ title }) => title));
  const cells = parts.map((part) => {
    const isLive = holdsRows(part);
    const state = stateOf(part);
    const style = STYLES[state];
    return [
      part.part,
      part.job?.id ?? "",
      ...titles.has("model") ? [part.requested_model ?? part.model] : [],
      style === undefined ? state : { text: state, style },
      rows(part),
      since(part.submittedAt ?? part.plannedAt, now),
      ...titles.has("expires in") ? [isLive ? until(part.job?.expiresAt, now) : ""] : [],
      ...titles.has("results kept until (UTC)")
        ? [isLive ? day(part.job?.resultsExpireAt) : ""]
        : [],
    ];
  });
  return [...table(columns, cells, options), "", summary(parts)];
}
