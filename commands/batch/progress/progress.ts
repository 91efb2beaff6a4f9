/**
 * The progress of a batch on stderr: two lines that are redrawn on a terminal, a plain line every few
 * seconds where there is none.
 *
 * @module
 */
import process from "node:process";
import { clearInterval, setInterval } from "node:timers";
import type { BatchSummary } from "../../../lib/batch/summary.ts";
import type { EndpointStats } from "../../../lib/client/endpoint_stats.ts";
import type { FlexLLMError } from "../../../lib/errors.ts";
import type { InputCheck } from "../../../lib/input/check_input.ts";
import type { RetryNotice } from "../../../lib/scheduling/scheduler.ts";
import { type ErrorKind, ErrorKinds } from "../../errors/groups.ts";
import { LiveArea, type TerminalStream } from "../../terminal/live_area.ts";
import { StallMonitor } from "../../wait_notice.ts";
import { type Budget, plainProgress, progressLines, type ProgressState } from "./progress_lines.ts";
import { RecentRate } from "./recent_rate.ts";
import { colored, divertNotes, writeNote } from "../../terminal/output.ts";

/** Milliseconds between two redraws on a terminal. */
const REDRAW = 100;
/** Milliseconds before the first one: what is over by then needs no progress. */
const FIRST_DRAW = 200;
/** Milliseconds without a resize after which the terminal seems to keep its size. */
const SETTLED = 500;
/** Columns that are used until then. A line that has to be broken may be pushed out of reach. */
const UNSETTLED_COLUMNS = 20;
/** Milliseconds between two plain lines. */
const PLAIN = 5000;
/** Milliseconds between checks whether the whole batch waits, which gets its own line. */
const LOOK = 1000;

/** The progress of one batch. */
export interface Progress {
  /** Says something above the progress. */
  note(line: string): void;
  /** Takes a failed record in. The first of a kind is shown. */
  failure(item: { index: number; line?: number; error: FlexLLMError }): void;
  /** Takes in that a record waits for another try. The first one for a new reason is shown. */
  retry(notice: RetryNotice): void;
  /** The kinds of the failures so far. */
  failures(): ErrorKind[];
  /** The kinds of the errors after which records were asked again. */
  retries(): ErrorKind[];
  /** Takes the progress off the screen. */
  stop(): void;
}

/** What progress is shown of, and how. */
export interface ProgressOptions {
  /** Shows nothing but failures. */
  quiet: boolean;
  /** The name of the input. */
  input: string;
  /** How the endpoints are doing now. */
  endpoints: () => readonly EndpointStats[];
  /** What may be spent, when that is limited. */
  budget?: Budget;
}

/** Where progress is shown, and the time. */
export interface Screen {
  /** The terminal, where lines can be redrawn; `undefined` where there is none. */
  terminal: TerminalStream | undefined;
  /** Milliseconds since some fixed moment. */
  now(): number;
  /** Calls `run` every `ms` milliseconds until the function that it gives is called. */
  every(ms: number, run: () => void): () => void;
}

/** Standard error and the system's clock. */
function standardError(): Screen {
  const redrawable = process.stderr.isTTY && process.env.TERM !== "dumb";
  return {
    terminal: redrawable ? process.stderr : undefined,
    now: () => performance.now(),
    every(ms, run) {
      const timer = setInterval(run, ms);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}

function showOnTerminal(terminal: TerminalStream, screen: Screen, state: () => ProgressState) {
  const area = new LiveArea(terminal);
  const begun = screen.now();
  const clear = () => area.clear();
  let size = area.size;
  let resizedAt = -Infinity;
  const stopTimer = screen.every(REDRAW, () => {
    const now = screen.now();
    if (now - begun < FIRST_DRAW) return;
    if (area.size !== size) [size, resizedAt] = [area.size, now];
    const settled = now - resizedAt >= SETTLED;
    const columns = settled ? area.columns : Math.min(area.columns, UNSETTLED_COLUMNS);
    const lines = progressLines(state(), columns, colored);
    area.draw(settled ? lines : lines.slice(0, 1));
  });
  divertNotes((line) => area.above(line));
  // What the runtime says of a crash must not be written into the lines.
  process.on("exit", clear);
  process.on("uncaughtExceptionMonitor", clear);
  return () => {
    stopTimer();
    divertNotes(undefined);
    clear();
    process.off("exit", clear);
    process.off("uncaughtExceptionMonitor", clear);
  };
}

/** Prints a line every few seconds, and immediately when the whole batch begins to wait. */
function showInLines(screen: Screen, state: () => ProgressState) {
  let writtenAt = screen.now();
  let waited = false;
  return screen.every(LOOK, () => {
    const now = screen.now();
    const current = state();
    const waits = current.waiting !== undefined;
    if (now - writtenAt >= PLAIN || (waits && !waited)) {
      writtenAt = now;
      waited = waits;
      writeNote(plainProgress(current));
    }
    if (!waits) waited = false;
  });
}

/** Shows the progress of `batch` until stopped. */
export function startProgress(
  batch: { summary(): BatchSummary },
  { total, pending }: Omit<InputCheck, "lines">,
  { quiet, input, endpoints, budget }: ProgressOptions,
  screen: Screen = standardError(),
): Progress {
  const begun = screen.now();
  const rate = new RecentRate(begun);
  const tokenRate = new RecentRate(begun);
  const waits = new StallMonitor(begun);
  const state = (): ProgressState => {
    const summary = batch.summary();
    const now = screen.now();
    const tried = summary.succeeded + summary.failed;
    rate.note(tried, now);
    tokenRate.note(summary.completionTokens, now);
    return {
      total,
      pending,
      summary,
      rate: rate.perSecond(now),
      tokenRate: tokenRate.perSecond(now),
      waiting: waits.current(tried, endpoints(), now),
      budget,
    };
  };
  const stop = quiet
    ? () => {}
    : screen.terminal === undefined
    ? showInLines(screen, state)
    : showOnTerminal(screen.terminal, screen, state);
  const note = quiet ? () => {} : writeNote;
  const failures = new ErrorKinds();
  const retries = new ErrorKinds();
  return {
    note,
    stop,
    failures: () => failures.list(),
    retries: () => retries.list(),
    failure({ index, line, error }) {
      const place = `${line === undefined ? input : `${input}:${line}`} (record ${index})`;
      const kind = failures.count(error, place);
      if (kind === undefined) return;
      writeNote(`${colored("red", "failed:")} ${kind.first}`);
      if (error.hint !== undefined) writeNote(colored("dim", error.hint));
    },
    retry(notice) {
      waits.notice(notice, screen.now());
      const kind = retries.count(notice.error);
      if (kind !== undefined) note(colored("dim", `retrying: ${kind.first}`));
    },
  };
}
