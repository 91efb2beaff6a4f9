/**
 * The progress of a batch on stderr: one line that is redrawn on a terminal, a plain line every few
 * seconds where there is none.
 *
 * @module
 */
import process from "node:process";
import { clearInterval, setInterval } from "node:timers";
import type { BatchSummary } from "../lib/batch/batch_summary.ts";
import type { FlexLLMError } from "../lib/errors.ts";
import type { InputCheck } from "../lib/input/records.ts";
import { dollars, duration } from "./batch_report.ts";
import { colored, writeNote } from "./terminal.ts";

/** Milliseconds between two redraws on a terminal. */
const REDRAW = 100;
/** Milliseconds between two plain lines. */
const PLAIN = 5000;
const BAR_WIDTH = 24;
/** Columns from which on there is room for the bar. */
const BAR_COLUMNS = 90;
/** Failures of one kind that are shown; all are counted in the summary. */
const SHOWN_FAILURES = 3;

/** The progress of one batch. */
export interface Progress {
  /** Says something above the progress. */
  note(line: string): void;
  /** Tells of a failed record of the input called `name`. */
  failure(item: { index: number; line?: number; error: FlexLLMError }, name: string): void;
  /** Takes the progress off the screen. */
  stop(): void;
}

function bar(share: number): string {
  const full = Math.round(share * BAR_WIDTH);
  return `[${"=".repeat(full)}${" ".repeat(BAR_WIDTH - full)}]`;
}

/** One line that says how far the batch is. */
export function progressLine(summary: BatchSummary, check: InputCheck, columns: number): string {
  const tried = summary.succeeded + summary.failed;
  const done = check.total - check.pending + tried;
  const rate = tried / summary.seconds;
  const parts = [
    columns < BAR_COLUMNS ? "" : bar(done / check.total),
    `${done}/${check.total}`,
    `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s`,
    `${summary.succeeded} ok`,
  ];
  if (summary.failed > 0) parts.push(`${summary.failed} failed`);
  if (summary.retries > 0) parts.push(`${summary.retries} retries`);
  if (tried > 0 && tried < check.pending) {
    parts.push(`${duration((check.pending - tried) / rate)} left`);
  }
  parts.push(`${summary.promptTokens + summary.completionTokens} tokens`);
  if (summary.cost > 0) parts.push(dollars(summary.cost));
  // What does not fit is left out from the end, the least needed.
  let line = "";
  for (const part of parts.filter((part) => part !== "")) {
    const longer = line === "" ? part : `${line}  ${part}`;
    if (longer.length >= columns) break;
    line = longer;
  }
  return line;
}

async function terminalView(draw: () => string) {
  const { createLogUpdate } = await import("log-update");
  const update = createLogUpdate(process.stderr);
  const redraw = () => update(draw());
  redraw();
  const timer = setInterval(redraw, REDRAW);
  timer.unref();
  return {
    above(line: string) {
      update.clear();
      writeNote(line);
      redraw();
    },
    stop() {
      clearInterval(timer);
      update.clear();
      update.done();
    },
  };
}

function plainView(draw: () => string) {
  const timer = setInterval(() => writeNote(draw()), PLAIN);
  timer.unref();
  return { above: writeNote, stop: () => clearInterval(timer) };
}

/** Shows the progress of `batch` until stopped; shows nothing but signals' notes when `quiet`. */
export async function startProgress(
  batch: { summary(): BatchSummary },
  check: InputCheck,
  quiet: boolean,
): Promise<Progress> {
  const draw = () => progressLine(batch.summary(), check, process.stderr.columns ?? 120);
  const silent = { above: () => {}, stop: () => {} };
  const view = quiet ? silent : process.stderr.isTTY ? await terminalView(draw) : plainView(draw);
  const shown = new Map<string, number>();
  return {
    note: view.above,
    stop: view.stop,
    failure({ index, line, error }, name) {
      const count = (shown.get(error.code) ?? 0) + 1;
      shown.set(error.code, count);
      if (count > SHOWN_FAILURES) return;
      const more = count === SHOWN_FAILURES ? " (further ones of this kind are counted only)" : "";
      view.above(
        `${colored("red", "failed:")} ${name}:${line} (record ${index}): ${error.message}${more}`,
      );
    },
  };
}
