/**
 * The words of the progress: two lines that fit a terminal, or one for a file.
 *
 * @module
 */
import type { BatchSummary } from "../../../lib/batch/summary.ts";
import { dollars } from "../../terminal/format.ts";
import type { LongWait } from "../../wait_notice.ts";
import type { Style } from "../../terminal/output.ts";

/** What the progress tells of. */
export interface ProgressState {
  /** Usable records of the input. */
  total: number;
  /** Of these, those that were not done when the run began. */
  pending: number;
  /** The counts of the run. */
  summary: BatchSummary;
  /** Records a second, lately; `undefined` while none has been tried. */
  rate: number | undefined;
  /** Tokens written a second, lately. */
  tokenRate: number | undefined;
  /** What everything waits for. */
  waiting: LongWait | undefined;
  budget: Budget | undefined;
}

/** The most that may be spent, in USD. */
export interface Budget {
  limit: number;
  /** What runs before this one have spent of it. */
  spentBefore: number;
}

/** Gives a text a colour, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

interface Part {
  text: string;
  /** What is said where there is less room. */
  short?: string;
  /** Parts of a low rank stay when others have no room. */
  rank: number;
  style?: Style;
  /** Its separator from the previous part; as long as the usual one. */
  glue?: ": " | ", ";
}

const SEPARATOR = "  ";
/** Columns from which on a bar is drawn. */
const BAR_COLUMNS = 56;
const MAX_BAR = 30;

const compact = new Intl.NumberFormat("en-US", { notation: "compact" });

/** A speed with about two digits, in the unit that needs no zeros. */
function speed(perSecond: number): string {
  if (perSecond >= 9.95) return `${compact.format(Math.round(perSecond))}/s`;
  if (perSecond >= 0.95) return `${perSecond.toFixed(1)}/s`;
  const perMinute = perSecond * 60;
  if (perMinute >= 0.95) return `${perMinute.toFixed(perMinute < 9.95 ? 1 : 0)}/min`;
  return `${(perMinute * 60).toFixed(1)}/h`;
}

/** About how long something takes; finer than a person can use would only flicker. */
function roughly(seconds: number): string {
  if (seconds < 99.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}

function tried({ summary }: ProgressState): number {
  return summary.succeeded + summary.failed;
}

function bar(share: number, columns: number): string {
  const width = Math.min(MAX_BAR, Math.floor(columns / 5));
  const full = Math.floor(share * width);
  const head = full === width ? "" : full === 0 ? " " : ">";
  return `[${"=".repeat(full)}${head}`.padEnd(width + 1) + "]";
}

/** When it ends, or why it does not go on. */
function outlook(state: ProgressState): Part[] {
  const { summary, waiting, rate, pending } = state;
  if (summary.interrupted) return [{ text: "stopping", rank: 2, style: "yellow" }];
  if (waiting !== undefined) {
    const style = "yellow";
    const { seconds, reason } = waiting;
    const time = seconds === undefined ? undefined : `${Math.max(1, Math.ceil(seconds))} s`;
    const [next, short] = time === undefined ? ["trying again"] : [`next try in ${time}`, time];
    return [
      { text: "waiting", rank: 2, style },
      { text: reason, rank: 6, style, glue: ": " },
      { text: next, short, rank: 3, style, glue: ", " },
    ];
  }
  if (rate === undefined) return [];
  const left = pending - tried(state);
  const parts: Part[] = [{ text: speed(rate), rank: 6 }];
  if (left > 0) parts.push({ text: `${roughly(left / rate)} left`, rank: 3 });
  return parts;
}

function recordParts(state: ProgressState): Part[] {
  const { total, pending, summary } = state;
  const done = total - pending + tried(state);
  const parts: Part[] = [
    // Not 100% before all is done.
    { text: `${Math.floor(100 * done / total)}%`, rank: 5 },
    { text: `${done}/${total}`, rank: 1 },
    ...outlook(state),
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

function costParts(state: ProgressState): Part[] {
  const { summary: { cost, succeeded, unpriced }, pending, budget } = state;
  const anyPrice = cost > 0 || unpriced < succeeded;
  if (!anyPrice && budget === undefined) return [];
  const before = budget?.spentBefore ?? 0;
  const spent = dollars(before + cost);
  const short = budget && `${spent} of ${dollars(budget.limit)}`;
  const parts: Part[] = [{ text: `${short ?? spent} spent`, short, rank: 1 }];
  if (anyPrice && tried(state) < pending) {
    const projected = before + cost / tried(state) * pending;
    const style = budget && projected > budget.limit ? "yellow" : undefined;
    parts.push({ text: `~${dollars(projected)} in all`, rank: 2, style });
  }
  if (unpriced > 0) {
    parts.push({
      text: `${unpriced} answers of unknown price`,
      short: `${unpriced} unpriced`,
      rank: 4,
      style: "yellow",
    });
  }
  return parts;
}

function spendingParts(state: ProgressState): Part[] {
  const { promptTokens, completionTokens } = state.summary;
  const parts: Part[] = [{
    text: `${compact.format(promptTokens)} tokens read, ${
      compact.format(completionTokens)
    } written`,
    short: `${compact.format(promptTokens + completionTokens)} tokens`,
    rank: 3,
    style: "dim",
  }];
  if (state.tokenRate !== undefined && state.waiting === undefined) {
    const text = `${compact.format(Math.round(state.tokenRate))} tokens/s`;
    parts.push({ text, rank: 5, style: "dim" });
  }
  return [...parts, ...costParts(state)];
}

/** The parts that fit in `columns`: first as many as can be, then as long as can be. */
function fit(parts: readonly Part[], columns: number, paint: Paint): string {
  // The last column stays free: a terminal may take a full line for one that goes on.
  let room = columns - 1;
  const chosen = new Map<Part, string>();
  const byRank = parts.toSorted((a, b) => a.rank - b.rank);
  for (const part of byRank) {
    const text = part.short ?? part.text;
    const width = text.length + (chosen.size > 0 ? SEPARATOR.length : 0);
    if (width > room) continue;
    room -= width;
    chosen.set(part, text);
  }
  for (const part of byRank) {
    const more = part.text.length - (chosen.get(part)?.length ?? Infinity);
    if (!(more > 0 && more <= room)) continue;
    room -= more;
    chosen.set(part, part.text);
  }
  let line = "";
  for (const part of parts) {
    const text = chosen.get(part);
    if (text === undefined) continue;
    if (line !== "") line += part.glue ?? SEPARATOR;
    line += part.style === undefined ? text : paint(part.style, text);
  }
  return line;
}

/** The two lines of a terminal, each narrower than `columns`; what matters least is left out. */
export function progressLines(state: ProgressState, columns: number, paint: Paint): string[] {
  const records = recordParts(state);
  if (columns >= BAR_COLUMNS) {
    const share = (state.total - state.pending + tried(state)) / state.total;
    records.unshift({ text: bar(share, columns), rank: 9 });
  }
  return [fit(records, columns, paint), fit(spendingParts(state), columns, paint)];
}

/** All of it in one line, without colours. */
export function plainProgress(state: ProgressState): string {
  return fit([...recordParts(state), ...spendingParts(state)], Infinity, (_, text) => text);
}
