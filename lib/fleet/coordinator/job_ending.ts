/**
 * Ends the work of a job: takes back what no worker has, or waits for the cost of second copies.
 *
 * @module
 */
import { systemClock } from "../../runtime/clock.ts";
import type { JobRun } from "./job_run.ts";
import type { ResultCollector } from "./result_collector.ts";

/** Milliseconds for which the second copies of answered records may still report their cost. */
const CLOSING_TIME = 3000;
/** Milliseconds between two looks at the second copies. */
const LOOK_INTERVAL = 100;
/** Milliseconds before the server is tried again. */
const RETRY_DELAY = 250;

/**
 * Sends the workers away when a run stops early, and takes back what none of them has. Waits for a server that cannot
 * be used.
 *
 * @param settled waits until no more records are being added
 */
export async function withdrawRecords(run: JobRun, settled: () => Promise<void>): Promise<void> {
  const { job, work, open, roster, signal } = run;
  while (!signal.aborted) {
    try {
      await settled();
      if (!await run.holdsLock()) return;
      await job.setPhase("stopping");
      for (const index of await work.withdraw()) {
        if (open.dropCopy(index)) open.delete(index);
      }
      await roster.refresh();
      break;
    } catch {
      await systemClock.sleep(RETRY_DELAY, signal).catch(() => {});
    }
  }
  run.isWithdrawn = true;
  run.wake();
}

/** Sends the workers away when all records are answered, and waits a moment for the cost of second copies. */
export async function collectSecondCopies(run: JobRun, collector: ResultCollector): Promise<void> {
  const { job, work, results, counts } = run;
  try {
    await job.setPhase("closing");
    if (counts.hedged + counts.reassigned === 0) return;
    const end = performance.now() + CLOSING_TIME;
    while (performance.now() < end && (await work.list()).length > 0) {
      await systemClock.sleep(LOOK_INTERVAL);
    }
    collector.handle(await results.drain());
  } catch {
    // Only a count is missing.
  }
}
