/**
 * Handles jobs that the provider refuses as a whole: drops the rows at fault, and sends the others again.
 *
 * @module
 */
import type { JobProblem } from "../../batch_api/batch_api.ts";
import { HttpError } from "../../errors.ts";
import type { IndexedRecord, Outcome } from "../executor.ts";
import { type Canary, CANARY_ROWS } from "./canary.ts";
import type { JobContext } from "./job_context.ts";
import { droppedRowNote, problemText, quotaNote, refusedError, refusedNote } from "./job_notes.ts";
import type { LivePart } from "./live_part.ts";
import type { PartRecords } from "./part_store.ts";
import { isQuotaProblem, type SubmissionLimits } from "./submission_limits.ts";

/** Refusals for the same reason after which no smaller job is tried. */
const MAX_SAME = 2;
/** Refusals of small jobs in a row, for any reason. */
const MAX_ANY = 5;

/** What to do with a refused part: outcomes to yield, and the rows to send again. */
export interface Refusal {
  outcomes: Outcome[];
  left: number[];
  why: string;
}

/** Counts the refusals of one run. */
export class Refusals {
  readonly #context: JobContext;
  readonly #canary: Canary;
  readonly #limits: SubmissionLimits;
  readonly #messages = new Map<string, number>();
  #inRow = 0;

  constructor(context: JobContext, canary: Canary, limits: SubmissionLimits) {
    this.#context = context;
    this.#canary = canary;
    this.#limits = limits;
  }

  /** Notes that the provider has processed a job. */
  accepted(): void {
    this.#inRow = 0;
    this.#messages.clear();
  }

  /**
   * Decides what becomes of the rows of a job that was refused before anything ran.
   *
   * @throws {FlexLLMError} if no other job would be accepted
   */
  refused(
    part: LivePart,
    problems: readonly JobProblem[],
    records: PartRecords,
    parts: readonly LivePart[],
  ): Refusal {
    const why = problemText(problems);
    if (problems.some(isQuotaProblem)) {
      this.#limits.refused(part, parts);
      if (!this.#limits.isStillFull) this.#context.note(quotaNote(part.state, why));
      return { outcomes: [], left: [...records.indexes], why };
    }
    const outcomes: Outcome[] = [];
    const dropped = new Set<number>();
    for (const problem of problems) {
      const record = recordOf(problem, records);
      if (record === undefined || dropped.has(record.index)) continue;
      dropped.add(record.index);
      outcomes.push(this.#reject(record, problem));
    }
    if (dropped.size > 0) {
      const [first] = outcomes;
      this.#context.note(droppedRowNote(first.record.index, why, part.state));
      return { outcomes, left: records.indexes.filter((index) => !dropped.has(index)), why };
    }
    const times = (this.#messages.get(why) ?? 0) + 1;
    this.#messages.set(why, times);
    const isSmall = part.state.rows <= CANARY_ROWS;
    if (isSmall && (times >= MAX_SAME || ++this.#inRow >= MAX_ANY)) {
      throw refusedError(this.#context.client.endpoint, why);
    }
    this.#canary.distrust(part.state.model);
    this.#context.note(refusedNote(part.state, why));
    return { outcomes: [], left: [...records.indexes], why };
  }

  #reject(record: IndexedRecord, { message, code }: JobProblem): Outcome {
    const error = new HttpError(`record ${record.index}: the provider rejected it: ${message}`, {
      status: 400,
      providerMessage: message,
      providerCode: code,
    });
    return { record, ok: false, error, isCollected: true };
  }
}

function recordOf({ line, row }: JobProblem, records: PartRecords): IndexedRecord | undefined {
  if (row !== undefined) {
    const record = records.find(row);
    if (record !== undefined) return record;
  }
  return line === undefined ? undefined : records.atLine(line);
}
