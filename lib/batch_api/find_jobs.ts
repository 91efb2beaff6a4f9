/**
 * Finds jobs in a list that comes in pages.
 *
 * @module
 */
import type { Job } from "./batch_api.ts";
import { PageCursors } from "./page_cursors.ts";

/** One page of a list of jobs. */
export interface JobPage {
  jobs: Job[];
  /** The cursor of the next page; absent on the last one. */
  next?: string;
}

/** Whether all jobs are older than `since`, in a list that has been sorted by age so far. */
class AgeCheck {
  #last = Infinity;
  #isSorted = true;

  constructor(readonly since: number) {}

  isPast(jobs: readonly Job[]): boolean {
    for (const { createdAt = Infinity } of jobs) {
      if (createdAt > this.#last) this.#isSorted = false;
      this.#last = createdAt;
    }
    return this.#isSorted && jobs.length > 0 &&
      jobs.every(({ createdAt }) => (createdAt ?? Infinity) < this.since);
  }
}

/**
 * Returns the jobs that `isWanted`, from all pages. It only stops early after a whole page of jobs created before
 * `since`, and if the list is sorted: a job that is overlooked would be submitted twice.
 *
 * @param read reads the page at a cursor; `undefined` is the first one
 */
export async function findJobs(
  read: (cursor: string | undefined) => Promise<JobPage>,
  isWanted: (job: Job) => boolean,
  since: number,
): Promise<Job[]> {
  const found = new Map<string, Job>();
  const seen = new Set<string>();
  const age = new AgeCheck(since);
  const cursors = new PageCursors();
  let cursor: string | undefined;
  do {
    const { jobs, next } = await read(cursor);
    for (const job of jobs) if (isWanted(job)) found.set(job.id, job);
    // A server that ignores the number of the page sends the same one for ever.
    const isRepeated = jobs.length > 0 && jobs.every(({ id }) => seen.has(id));
    if (isRepeated || age.isPast(jobs)) break;
    for (const { id } of jobs) seen.add(id);
    cursor = cursors.next(next, jobs.length);
  } while (cursor !== undefined);
  return [...found.values()];
}
