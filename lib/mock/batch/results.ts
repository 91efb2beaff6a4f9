/**
 * Reads the results of a mock job, with the faults that hit rows.
 *
 * @module
 */
import type { BatchCore } from "./core.ts";
import type { JobRecord, JobState } from "./job.ts";
import type { RowAnswer } from "./row_answers.ts";

/** The result of a row. */
export interface RowOutcome {
  /** The position in the input, from 0. */
  index: number;
  /** The id that the result has; with a fault, it may be that of another row. */
  id: string;
  /** The answer; `undefined` if the row was not run. */
  answer?: RowAnswer;
  /** Why it was not run. */
  notRun?: "expired" | "cancelled";
}

/** Positions in the order of results that the faults of a job apply to. */
interface RowFaults {
  isMissing(order: number): boolean;
  isDouble(order: number): boolean;
  /** The position whose id this one gets. */
  idFrom(order: number): number;
}

function rowFaults({ faults, cancelledAt }: JobRecord, done: number): RowFaults {
  const { row_errors = 0, double_rows = 0, swapped_rows = 0, missing_rows = 0 } = faults;
  const lost = missing_rows + (cancelledAt === undefined ? 0 : faults.cancel_loses ?? 0);
  const doubleEnd = row_errors + double_rows;
  const swapEnd = Math.min(doubleEnd + 2 * swapped_rows, done - (done - doubleEnd) % 2);
  return {
    isMissing: (order) => order < done && order >= done - lost,
    isDouble: (order) => order >= row_errors && order < doubleEnd,
    idFrom: (order) =>
      order >= doubleEnd && order < swapEnd ? doubleEnd + ((order - doubleEnd) ^ 1) : order,
  };
}

/**
 * The results of all rows of a job: of rows that were done, and, once the job has ended, of those that were
 * not run. In the order in which they were done, which is not that of the input.
 *
 * @param kinds which of them
 */
export async function* rowOutcomes(
  core: BatchCore,
  job: JobRecord,
  state: JobState,
  kinds: { succeeded?: boolean; failed?: boolean; notRun?: boolean },
): AsyncGenerator<RowOutcome> {
  const answers = core.answersOf(job);
  const { done } = state;
  const { isMissing, isDouble, idFrom } = rowFaults(job, done);
  for (let order = 0; order < done; order++) {
    if (isMissing(order)) continue;
    if (!(answers.isBilled(order) ? kinds.succeeded : kinds.failed)) continue;
    const answer = await answers.answer(order);
    const from = idFrom(order);
    const id = from === order ? answer.row.id : answers.row(from).row.id;
    const outcome = { index: answer.index, id, answer };
    yield outcome;
    if (isDouble(order)) yield outcome;
  }
  if (!kinds.notRun || !state.isFinal || state.phase === "failed") return;
  const notRun = state.phase === "expired" ? "expired" : "cancelled";
  for (let order = done; order < job.rows; order++) {
    const { index, row } = answers.row(order);
    yield { index, id: row.id, notRun };
  }
}
