/**
 * Shows the progress of a batch on stderr: lines that are redrawn on a terminal, otherwise a plain line every
 * few seconds, or when the state of provider jobs changes.
 *
 * @module
 */
import process from "node:process";
import { clearInterval, setInterval } from "node:timers";
import type { JobView } from "../../../lib/batch/jobs/job_view.ts";
import type { BatchSummary } from "../../../lib/batch/summary.ts";
import type { EndpointStats } from "../../../lib/client/endpoint_stats.ts";
import type { FlexLLMError } from "../../../lib/errors.ts";
import type { InputCheck } from "../../../lib/input/check_input.ts";
import type { RetryNotice } from "../../../lib/chat/retry_notice.ts";
import { type ErrorKind, ErrorKinds } from "../../errors/groups.ts";
import { hintLines } from "../../terminal/hint_lines.ts";
import { inTermsOfFlags } from "../../errors/option_names.ts";
import { LiveArea, type TerminalStream } from "../../terminal/live_area.ts";
import { StallMonitor } from "../../wait_notice.ts";
import { type Budget, plainProgress, progressLines, type ProgressState } from "./progress_lines.ts";
import { jobsKey } from "./job_line.ts";
import type { WorkersState } from "./worker_line.ts";
import { RecentRate } from "./recent_rate.ts";
import { onSuspension } from "../../terminal/suspension.ts";
import { canRedraw, colored, divertNotes, writeNote } from "../../terminal/output.ts";

/** Milliseconds between redraws on a terminal. */
const REDRAW_INTERVAL = 100;
/** Milliseconds before the first draw: a shorter batch needs no progress. */
const FIRST_DRAW = 200;
/** Milliseconds after the last resize before the full width is used again. */
const RESIZE_PAUSE = 500;
/** Columns used until then: a line that wraps can no longer be cleared. */
const RESIZING_COLUMNS = 20;
/** Milliseconds between plain lines. */
const PLAIN_INTERVAL = 5000;
/** Milliseconds between checks whether the whole batch waits, which is printed immediately. */
const CHECK_INTERVAL = 1000;

/** The progress of one batch. */
export interface Progress {
  /** Prints a line above the progress. */
  note(line: string): void;
  /** Counts a failed record. Prints the first of each kind. */
  failure(item: {
    index: number;
    location?: string;
    model?: string;
    error: FlexLLMError;
  }): void;
  /** Counts a retry. Prints the first for each kind of error. */
  retry(notice: RetryNotice): void;
  /** The failures so far, by kind. */
  failures(): ErrorKind[];
  /** The errors that were retried so far, by kind. */
  retries(): ErrorKind[];
  /** Clears the progress. */
  stop(): void;
}

/** How progress is shown. */
export interface ProgressOptions {
  /** Shows only failures. */
  quiet: boolean;
  /** The name of the input. */
  input: string;
  /** The current state of the endpoints. */
  endpoints: () => readonly EndpointStats[];
  /** The budget, if there is one. */
  budget?: Budget;
  /** The current parts, if records are sent as provider jobs. */
  jobs?: () => readonly JobView[];
  /** The current workers, if records are sent by a fleet. */
  workers?: () => WorkersState;
}

/** The terminal and the clock; replaced in tests. */
export interface Screen {
  /** A terminal on which lines can be redrawn; `undefined` if there is none. */
  terminal: TerminalStream | undefined;
  /** Milliseconds since some fixed moment. */
  now(): number;
  /** Milliseconds since 1970. */
  date(): number;
  /** Calls `run` every `ms` milliseconds. Returns a function that ends this. */
  every(ms: number, run: () => void): () => void;
}

/** Standard error and the system clock. */
function standardError(): Screen {
  return {
    terminal: canRedraw() ? process.stderr : undefined,
    now: () => performance.now(),
    date: () => Date.now(),
    every(ms, run) {
      const timer = setInterval(run, ms);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}

function showOnTerminal(terminal: TerminalStream, screen: Screen, state: () => ProgressState) {
  const area = new LiveArea(terminal);
  const startedAt = screen.now();
  const clear = () => area.clear();
  let size = area.size;
  let resizedAt = -Infinity;
  const stopTimer = screen.every(REDRAW_INTERVAL, () => {
    const now = screen.now();
    if (now - startedAt < FIRST_DRAW) return;
    if (area.size !== size) [size, resizedAt] = [area.size, now];
    const isStable = now - resizedAt >= RESIZE_PAUSE;
    const columns = isStable ? area.columns : Math.min(area.columns, RESIZING_COLUMNS);
    const lines = progressLines(state(), columns, colored);
    area.draw(isStable ? lines : lines.slice(0, 1));
  });
  divertNotes((line) => area.above(line));
  // A crash report of the runtime must not be mixed with the progress lines.
  process.on("exit", clear);
  process.on("uncaughtExceptionMonitor", clear);
  const allowSuspension = onSuspension(clear);
  return () => {
    stopTimer();
    divertNotes(undefined);
    clear();
    process.off("exit", clear);
    process.off("uncaughtExceptionMonitor", clear);
    allowSuspension();
  };
}

/** Milliseconds between plain lines while jobs do not change. */
const JOBS_INTERVAL = 600_000;

/** Prints a line when the state of jobs has changed, and a sign of life every few minutes. */
function showJobsAsLines(screen: Screen, state: () => ProgressState) {
  let writtenAt = screen.now();
  let written = "";
  return screen.every(CHECK_INTERVAL, () => {
    const now = screen.now();
    const current = state();
    const { summary: { succeeded, failed }, jobs } = current;
    const key = `${succeeded} ${failed} ${jobsKey(jobs?.views ?? [])}`;
    if (key === written && now - writtenAt < JOBS_INTERVAL) return;
    [written, writtenAt] = [key, now];
    writeNote(plainProgress(current));
  });
}

/** Prints a line every few seconds, and immediately when the whole batch starts to wait. */
function showAsLines(screen: Screen, state: () => ProgressState) {
  let writtenAt = screen.now();
  let wasWaiting = false;
  return screen.every(CHECK_INTERVAL, () => {
    const now = screen.now();
    const current = state();
    const isWaiting = current.waiting !== undefined;
    if (now - writtenAt >= PLAIN_INTERVAL || (isWaiting && !wasWaiting)) {
      writtenAt = now;
      wasWaiting = isWaiting;
      writeNote(plainProgress(current));
    }
    if (!isWaiting) wasWaiting = false;
  });
}

/** Shows the progress of `batch` until {@link Progress.stop} is called. */
export function startProgress(
  batch: { summary(): BatchSummary },
  { total, pending }: Omit<InputCheck, "lines">,
  { quiet, input, endpoints, budget, jobs, workers }: ProgressOptions,
  screen: Screen = standardError(),
): Progress {
  const startedAt = screen.now();
  const rate = new RecentRate(startedAt);
  const tokenRate = new RecentRate(startedAt);
  const stalls = new StallMonitor(startedAt);
  const state = (): ProgressState => {
    const summary = batch.summary();
    const now = screen.now();
    const processed = summary.succeeded + summary.failed;
    rate.note(processed, now);
    tokenRate.note(summary.completionTokens, now);
    return {
      total,
      pending,
      summary,
      rate: rate.perSecond(now),
      tokenRate: tokenRate.perSecond(now),
      // The line about jobs says what they wait for.
      waiting: jobs === undefined ? stalls.current(processed, endpoints(), now) : undefined,
      budget,
      jobs: jobs && { views: jobs(), now: screen.date() },
      workers: workers?.(),
    };
  };
  const stop = quiet
    ? () => {}
    : screen.terminal === undefined
    ? (jobs === undefined ? showAsLines : showJobsAsLines)(screen, state)
    : showOnTerminal(screen.terminal, screen, state);
  const note = quiet ? () => {} : writeNote;
  const failures = new ErrorKinds();
  const retries = new ErrorKinds();
  return {
    note,
    stop,
    failures: () => failures.list(),
    retries: () => retries.list(),
    failure({ index, location = input, model, error }) {
      const record = model === undefined ? `record ${index}` : `record ${index}, ${model}`;
      const kind = failures.count(error, `${location} (${record})`);
      if (kind === undefined) return;
      const columns = screen.terminal?.columns;
      const text = `${colored("red", "failed:")} ${kind.first}`;
      for (const line of hintLines(text, columns)) writeNote(line);
      const { hint = "" } = inTermsOfFlags(error);
      if (hint === "") return;
      for (const line of hintLines(hint, columns)) writeNote(colored("dim", line));
    },
    retry(notice) {
      stalls.notice(notice, screen.now());
      const kind = retries.count(notice.error);
      if (kind === undefined) return;
      const lines = hintLines(`retrying: ${kind.first}`, screen.terminal?.columns);
      for (const line of lines) note(colored("dim", line));
    },
  };
}
