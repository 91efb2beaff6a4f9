/**
 * Shows what a worker does on stderr: a line that is redrawn on a terminal, otherwise one now and then.
 *
 * @module
 */
import process from "node:process";
import { clearInterval, setInterval } from "node:timers";
import type { WorkerStatus } from "../../lib/fleet/fleet_status.ts";
import { fitLine, type LinePart, speed } from "../batch/progress/line_parts.ts";
import { counted, dollars } from "../terminal/format.ts";
import { LiveArea } from "../terminal/live_area.ts";
import { canRedraw, colored, divertNotes, writeNote } from "../terminal/output.ts";
import { printableLine } from "../terminal/sanitize.ts";
import { onSuspension } from "../terminal/suspension.ts";

/** Milliseconds between redraws on a terminal. */
const REDRAW_INTERVAL = 250;
/** Milliseconds between lines elsewhere. */
const LINE_INTERVAL = 30_000;

/** The parts of the line, the most important ones with the lowest ranks. */
function workerParts(
  { state, job, inFlight, concurrency, done, failed, rate, cost, lastError }: WorkerStatus,
) {
  const parts: LinePart[] = [
    job === undefined
      ? { text: state === "refused" ? "no job for this worker" : "waiting for a job", rank: 1 }
      : { text: `job ${job}`, rank: 5 },
  ];
  if (state === "stopping") parts.push({ text: "stopping", rank: 2, style: "yellow" });
  if (job !== undefined) {
    const text = `${inFlight} of ${concurrency} in flight`;
    parts.push({ text, short: `${inFlight}/${concurrency}`, rank: 3 });
  }
  parts.push({ text: `${done} done`, rank: 1 });
  if (failed > 0) parts.push({ text: `${failed} failed`, rank: 2, style: "red" });
  if (rate > 0) parts.push({ text: speed(rate), rank: 4 });
  if (cost > 0) parts.push({ text: dollars(cost), rank: 6 });
  if (lastError !== undefined) {
    const text = `last error: ${printableLine(lastError).slice(0, 120)}`;
    parts.push({ text, rank: 9, style: "yellow" });
  }
  return parts;
}

/** The line for a terminal, narrower than `columns`. */
export function workerLine(status: WorkerStatus, columns: number, paint = colored): string {
  return fitLine(workerParts(status), columns, paint);
}

function showOnTerminal(status: () => WorkerStatus): () => void {
  const area = new LiveArea(process.stderr);
  const clear = () => area.clear();
  const timer = setInterval(
    () => area.draw([workerLine(status(), area.columns)]),
    REDRAW_INTERVAL,
  );
  timer.unref();
  divertNotes((line) => area.above(line));
  process.on("exit", clear);
  const allowSuspension = onSuspension(clear);
  return () => {
    clearInterval(timer);
    divertNotes(undefined);
    clear();
    process.off("exit", clear);
    allowSuspension();
  };
}

function showAsLines(status: () => WorkerStatus): () => void {
  let last = 0;
  const timer = setInterval(() => {
    const current = status();
    const finished = current.done + current.failed;
    if (finished === last && current.inFlight === 0) return;
    last = finished;
    writeNote(workerLine(current, Infinity, (_, text) => text));
  }, LINE_INTERVAL);
  timer.unref();
  return () => clearInterval(timer);
}

/** Shows `status` until the returned function is called. */
export function showWorker(status: () => WorkerStatus): () => void {
  return canRedraw() ? showOnTerminal(status) : showAsLines(status);
}

/** What a worker did, when it ends. */
export function workerSummary({ done, failed, cost }: WorkerStatus): string {
  const price = cost > 0 ? `, ${dollars(cost)}` : "";
  return `Worker stopped: ${counted(done, "record")} answered, ${failed} failed${price}.`;
}
