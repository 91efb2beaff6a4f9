/**
 * Formats the progress of a batch: lines that fit the terminal, or one line for a log.
 *
 * @module
 */
import type { BatchSummary } from "../../../lib/batch/summary.ts";
import { dollars } from "../../terminal/format.ts";
import type { LongWait } from "../../wait_notice.ts";
import type { Style } from "../../terminal/output.ts";
import { jobParts, type JobsState } from "./job_line.ts";
import { approximate, fitLine, type LinePart, type Paint, speed } from "./line_parts.ts";
import { workerParts, type WorkersState } from "./worker_line.ts";

/** The state that is shown. */
export interface ProgressState {
  /** Number of selected, usable records. */
  total: number;
  /** How many of them were not done when the run started. */
  pending: number;
  /** The counts of the run. */
  summary: BatchSummary;
  /** Recent records per second; `undefined` before the first has finished. */
  rate: number | undefined;
  /** Recent output tokens per second. */
  tokenRate: number | undefined;
  /** What the whole batch waits for; `undefined` while it makes progress. */
  waiting: LongWait | undefined;
  /** The budget, if there is one. */
  budget: Budget | undefined;
  /** The parts at the provider; `undefined` for live requests. */
  jobs?: JobsState;
  /** The workers; `undefined` without a fleet. */
  workers?: WorkersState;
}

/** A budget in USD. */
export interface Budget {
  limit: number;
  /** The part of it that earlier runs spent. */
  spentBefore: number;
}

/** Minimum width of a terminal for a progress bar. */
const MIN_BAR_COLUMNS = 56;
const MAX_BAR = 30;

const compact = new Intl.NumberFormat("en-US", { notation: "compact" });

function processed({ summary }: ProgressState): number {
  return summary.succeeded + summary.failed;
}

function bar(share: number, columns: number): string {
  const width = Math.min(MAX_BAR, Math.floor(columns / 5));
  const full = Math.floor(share * width);
  const head = full === width ? "" : full === 0 ? " " : ">";
  return `[${"=".repeat(full)}${head}`.padEnd(width + 1) + "]";
}

/** Time left, or what the batch waits for. */
function outlookParts(state: ProgressState): LinePart[] {
  const { summary, waiting, rate, pending } = state;
  if (summary.interrupted) return [{ text: "stopping", rank: 2, style: "yellow" }];
  if (waiting !== undefined) {
    const style = "yellow";
    const { seconds, reason } = waiting;
    const time = seconds === undefined ? undefined : `${Math.max(1, Math.ceil(seconds))} s`;
    const [next, short] = time === undefined ? ["retrying"] : [`retrying in ${time}`, time];
    return [
      { text: "waiting", rank: 2, style },
      { text: reason, rank: 6, style, separator: ": " },
      { text: next, short, rank: 3, style, separator: ", " },
    ];
  }
  // Results of jobs arrive all at once: no rate tells when the rest comes.
  if (rate === undefined || state.jobs !== undefined) return [];
  const left = pending - processed(state);
  const parts: LinePart[] = [{ text: speed(rate), rank: 6 }];
  if (left > 0) parts.push({ text: `${approximate(left / rate)} left`, rank: 3 });
  return parts;
}

function recordParts(state: ProgressState): LinePart[] {
  const { total, pending, summary } = state;
  const done = total - pending + processed(state);
  const parts: LinePart[] = [
    // Rounded down: 100% only when everything is done.
    { text: `${Math.floor(100 * done / total)}%`, rank: 5 },
    { text: `${done}/${total}`, rank: 1 },
    ...outlookParts(state),
    { text: `${summary.succeeded} ok`, rank: 7 },
  ];
  const counts: [number, string, number, Style?][] = [
    [summary.failed, "failed", 4, "red"],
    [summary.retries, "retried", 10, "yellow"],
    [summary.cached, "cached", 11],
  ];
  for (const [count, name, rank, style] of counts) {
    if (count > 0) parts.push({ text: `${count} ${name}`, rank, style });
  }
  return parts;
}

function costParts(state: ProgressState): LinePart[] {
  const { summary: { cost, succeeded, unpriced }, pending, budget } = state;
  const anyPrice = cost > 0 || unpriced < succeeded;
  if (!anyPrice && budget === undefined) return [];
  const before = budget?.spentBefore ?? 0;
  const spent = dollars(before + cost);
  const short = budget && `${spent} of ${dollars(budget.limit)}`;
  const parts: LinePart[] = [{ text: `${short ?? spent} spent`, short, rank: 1 }];
  if (anyPrice && processed(state) < pending) {
    const projected = before + cost / processed(state) * pending;
    const style = budget && projected > budget.limit ? "yellow" : undefined;
    parts.push({ text: `~${dollars(projected)} total`, rank: 2, style });
  }
  if (unpriced > 0) {
    parts.push({
      text: `${unpriced} unpriced ${unpriced === 1 ? "answer" : "answers"}`,
      short: `${unpriced} unpriced`,
      rank: 4,
      style: "yellow",
    });
  }
  return parts;
}

function tokens(count: number): string {
  return `${compact.format(count)} ${count === 1 ? "token" : "tokens"}`;
}

function usageParts(state: ProgressState): LinePart[] {
  const { promptTokens, completionTokens } = state.summary;
  const parts: LinePart[] = [{
    text: `${tokens(promptTokens)} in, ${compact.format(completionTokens)} out`,
    short: tokens(promptTokens + completionTokens),
    rank: 3,
    style: "dim",
  }];
  if (
    state.tokenRate !== undefined && state.waiting === undefined && state.jobs === undefined
  ) {
    const text = `${compact.format(Math.round(state.tokenRate))} tokens/s`;
    parts.push({ text, rank: 5, style: "dim" });
  }
  return [...parts, ...costParts(state)];
}

/** The lines for a terminal, each narrower than `columns`; less important parts are dropped. */
export function progressLines(state: ProgressState, columns: number, paint: Paint): string[] {
  const records = recordParts(state);
  if (columns >= MIN_BAR_COLUMNS) {
    const share = (state.total - state.pending + processed(state)) / state.total;
    records.unshift({ text: bar(share, columns), rank: 9 });
  }
  const lines = [records, usageParts(state)];
  if (state.jobs !== undefined) lines.push(jobParts(state.jobs));
  if (state.workers !== undefined) lines.push(workerParts(state.workers));
  return lines.map((parts) => fitLine(parts, columns, paint));
}

/** Everything in one line, without colors. */
export function plainProgress(state: ProgressState): string {
  const jobs = state.jobs === undefined ? [] : jobParts(state.jobs);
  const workers = state.workers === undefined ? [] : workerParts(state.workers);
  const parts = [...recordParts(state), ...usageParts(state), ...jobs, ...workers];
  return fitLine(parts, Infinity, (_, text) => text);
}
