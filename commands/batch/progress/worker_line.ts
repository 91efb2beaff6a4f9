/**
 * Formats the workers of a batch for the progress: how many, how fast each is, and their errors.
 *
 * @module
 */
import { hostname } from "node:os";
import process from "node:process";
import type { WorkerStatus } from "../../../lib/fleet/fleet_status.ts";
import { counted } from "../../terminal/format.ts";
import { printableLine } from "../../terminal/sanitize.ts";
import { type LinePart, speed } from "./line_parts.ts";

/** Maximum workers that are named. */
const MAX_NAMED = 8;
/** Maximum characters of an error or a reason. */
const MAX_TEXT = 100;

/** The workers of a batch at some moment. */
export interface WorkersState {
  workers: readonly WorkerStatus[];
  /** Workers that do not take part, with the reasons. */
  refusals: readonly { worker: string; reason: string }[];
  /** Whether Redis can be used. */
  isConnected: boolean;
}

function shortened(text: string): string {
  return printableLine(text).slice(0, MAX_TEXT);
}

function nameOf({ isEmbedded, name, host, pid }: WorkerStatus): string {
  // A run that was killed had a worker as well, which is listed for a while.
  const isThis = isEmbedded && host === hostname() && pid === process.pid;
  return isThis ? "this process" : printableLine(name).slice(0, 40);
}

function workerPart(worker: WorkerStatus, i: number): LinePart {
  const { rate, failed } = worker;
  const short = `${nameOf(worker)} ${rate > 0 ? speed(rate) : "idle"}`;
  return {
    text: failed > 0 ? `${short}, ${failed} failed` : short,
    short,
    rank: 10 + i,
    style: failed > 0 ? "yellow" : "dim",
    separator: i === 0 ? ": " : undefined,
  };
}

/** The line about the workers. */
export function workerParts({ workers, refusals, isConnected }: WorkersState): LinePart[] {
  const parts: LinePart[] = [];
  if (!isConnected) parts.push({ text: "Redis is down", rank: 0, style: "yellow" });
  const count = workers.length === 0 ? "no workers yet" : counted(workers.length, "worker");
  parts.push({ text: count, rank: 1, style: workers.length === 0 ? "yellow" : undefined });
  const fastest = workers.toSorted((a, b) => b.rate - a.rate);
  parts.push(...fastest.slice(0, MAX_NAMED).map(workerPart));
  const more = workers.length - MAX_NAMED;
  if (more > 0) parts.push({ text: `and ${more} more`, rank: 9, style: "dim" });
  const inFlight = workers.reduce((sum, worker) => sum + worker.inFlight, 0);
  const slots = workers.reduce((sum, { concurrency }) => sum + concurrency, 0);
  if (slots > 0) {
    parts.push({
      text: `${inFlight} of ${slots} in flight`,
      short: `${inFlight}/${slots}`,
      rank: 3,
      style: "dim",
    });
  }
  if (refusals.length > 0) {
    const text = refusals.length === 1
      ? "1 cannot take part"
      : `${refusals.length} cannot take part`;
    parts.push({ text, rank: 2, style: "yellow" });
  }
  const failing = workers.find(({ lastError }) => lastError !== undefined);
  if (failing !== undefined) {
    const text = `last error of ${nameOf(failing)}: ${shortened(failing.lastError!)}`;
    parts.push({ text, rank: 30, style: "yellow" });
  }
  return parts;
}
