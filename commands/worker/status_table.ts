/**
 * Formats the jobs and workers of a fleet as tables.
 *
 * @module
 */
import type { FleetStatus, JobStatus, WorkerStatus } from "../../lib/fleet/fleet_status.ts";
import { SILENT } from "../../lib/fleet/read_fleet.ts";
import { speed } from "../batch/progress/line_parts.ts";
import { COUNT, counted, dollars, duration } from "../terminal/format.ts";
import { type Cell, type Column, tableSection } from "../terminal/table.ts";

const right = (title: string): Column => ({ title, align: "right" });
const left = (title: string): Column => ({ title });

function progressOf({ finished, total }: JobStatus): string {
  if (finished === undefined) return total === undefined ? "" : `of ${COUNT.format(total)}`;
  const done = COUNT.format(finished);
  return total === undefined ? done : `${done} of ${COUNT.format(total)}`;
}

function jobRow(job: JobStatus): Cell[] {
  const { id, model, isActive, waiting, inFlight, workers, host, pid, input } = job;
  return [
    id,
    model,
    isActive ? { text: "running", style: "green" } : { text: "no coordinator", style: "yellow" },
    progressOf(job),
    COUNT.format(waiting),
    COUNT.format(inFlight),
    COUNT.format(workers.length),
    input ?? "",
    `${host}:${pid}`,
  ];
}

function stateOf({ state, age }: WorkerStatus): Cell {
  if (age >= SILENT) return { text: `lost ${duration(age)} ago`, style: "red" };
  if (state === "working") return { text: state, style: "green" };
  if (state === "refused") return { text: "no job for it", style: "yellow" };
  return state;
}

/** The last error, or why it does not work on a job. */
function noteOf({ lastError, refusals, state }: WorkerStatus): string {
  const [refusal] = state === "refused" ? Object.entries(refusals ?? {}) : [];
  return refusal === undefined ? lastError ?? "" : `job ${refusal[0]}: ${refusal[1]}`;
}

function workerRow(worker: WorkerStatus): Cell[] {
  const { name, isEmbedded, job, inFlight, concurrency, done, failed, rate, cost } = worker;
  return [
    isEmbedded ? `${name} (batch)` : name,
    stateOf(worker),
    job ?? "",
    `${inFlight} of ${concurrency}`,
    COUNT.format(done),
    failed > 0 ? { text: COUNT.format(failed), style: "red" } : "0",
    rate > 0 ? speed(rate) : "",
    cost > 0 ? dollars(cost) : "",
    noteOf(worker),
  ];
}

/** Formats the status of the fleet at `server`. */
export function statusLines({ jobs, workers }: FleetStatus, server: string): string[] {
  return [
    `${server}: ${counted(jobs.length, "job")}, ${counted(workers.length, "worker")}`,
    ...tableSection(
      "Jobs",
      [
        left("job"),
        left("model"),
        left("state"),
        right("finished"),
        right("waiting"),
        right("in flight"),
        right("workers"),
        left("input"),
        left("batch at"),
      ],
      jobs.map(jobRow),
    ),
    ...tableSection(
      "Workers",
      [
        left("worker"),
        left("state"),
        left("job"),
        right("in flight"),
        right("done"),
        right("failed"),
        right("rate"),
        right("cost"),
        left("last error"),
      ],
      workers.map(workerRow),
    ),
  ];
}
