/**
 * Sends second copies of stragglers to other workers near the end of the input.
 *
 * @module
 */
import type { WorkerStatus } from "../fleet_status.ts";
import type { JobRun } from "./job_run.ts";
import type { OpenRecord } from "./open_records.ts";
import type { Resender } from "./resender.ts";
import type { StragglerWatch } from "./straggler_watch.ts";

/** Sends a second copy of records that take much longer than others, as far as other workers have free slots. */
export async function hedgeStragglers(
  run: JobRun,
  stragglers: StragglerWatch,
  resender: Resender,
): Promise<void> {
  const { limit } = stragglers;
  const workers = run.roster.usable;
  for (const { id, oldest = [] } of workers) {
    const slow = oldest.filter(([, seconds]) => seconds > limit)
      .map(([index]) => run.open.get(index))
      .filter((open) => open !== undefined && open.copies === 1)
      .slice(0, freeSlots(workers, id)) as OpenRecord[];
    if (slow.length === 0) continue;
    for (const open of slow) open.copies = 2;
    run.counts.hedged += slow.length;
    await resender.send(slow);
  }
}

function freeSlots(workers: readonly WorkerStatus[], except: string): number {
  return workers
    .filter(({ id }) => id !== except)
    .reduce((sum, { concurrency, inFlight }) => sum + Math.max(0, concurrency - inFlight), 0);
}
