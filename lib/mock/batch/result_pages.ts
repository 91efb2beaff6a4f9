/**
 * Pages through the results of a mock job.
 *
 * @module
 */
import type { BatchCore } from "./core.ts";
import type { JobRecord, JobState } from "./job.ts";
import { type RowOutcome, rowOutcomes } from "./results.ts";

type Kinds = Parameters<typeof rowOutcomes>[3];

/** A page of results. */
export interface ResultPage {
  outcomes: RowOutcome[];
  /** Where the next page starts; `undefined` on the last one. */
  next: number | undefined;
}

/** A job whose results have been read up to the start of a page. */
interface Reading {
  outcomes: AsyncGenerator<RowOutcome>;
  /** The first result of the page. */
  first: RowOutcome;
}

/** Jobs whose next page is kept ready. */
const MAX_READINGS = 100;

/** The pages of all jobs. A page continues after the one before, instead of answering its rows again. */
export class ResultPages {
  readonly #readings = new Map<string, Reading>();

  /**
   * Reads a page.
   *
   * @param start the position of its first result, from 0
   */
  async read(
    core: BatchCore,
    job: JobRecord,
    state: JobState,
    kinds: Kinds,
    start: number,
    limit: number,
  ): Promise<ResultPage> {
    // The same page can be read again, so what comes next depends on how far the job was then.
    const key = (position: number) => `${job.id} ${state.done} ${state.isFinal} ${position}`;
    const page: RowOutcome[] = [];
    const ready = this.#readings.get(key(start));
    this.#readings.delete(key(start));
    const outcomes = ready?.outcomes ?? rowOutcomes(core, job, state, kinds);
    if (ready !== undefined) page.push(ready.first);
    for (let skipped = ready === undefined ? 0 : start; skipped < start; skipped++) {
      if ((await outcomes.next()).done) break;
    }
    while (true) {
      const { value, done } = await outcomes.next();
      if (done) return { outcomes: page, next: undefined };
      if (page.length < limit) {
        page.push(value);
        continue;
      }
      const next = start + page.length;
      if (this.#readings.size >= MAX_READINGS) {
        this.#readings.delete(this.#readings.keys().next().value!);
      }
      this.#readings.set(key(next), { outcomes, first: value });
      return { outcomes: page, next };
    }
  }
}
