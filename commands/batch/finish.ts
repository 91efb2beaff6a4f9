/**
 * Finishes the result file of a batch, and checks that the input did not change meanwhile.
 *
 * @module
 */
import type { BatchSummary } from "../../lib/batch/summary.ts";
import { InvalidInputError, JournalError } from "../../lib/errors.ts";
import type { InputCheck } from "../../lib/input/check_input.ts";
import { counted } from "../terminal/format.ts";
import { writeWarning } from "../terminal/sentences.ts";

/** The part of a journal that is needed to finish it. */
export interface FinishableJournal {
  /** Sorts the file. */
  compact(): void;
  /** Syncs the file and checks that it is intact. */
  flush(): void;
}

/** The error of a finished batch that read fewer records than were counted before it started. */
export function inputChange(
  name: string,
  { total }: Pick<InputCheck, "total">,
  { restored, succeeded, failed }: Pick<BatchSummary, "restored" | "succeeded" | "failed">,
): InvalidInputError | undefined {
  const read = restored + succeeded + failed;
  if (read >= total) return undefined;
  return new InvalidInputError(
    `${name} was changed while the batch ran: it had ${counted(total, "record")}, ${read} ${
      read === 1 ? "was" : "were"
    } read`,
  );
}

/**
 * Sorts the journal of a finished batch, and syncs that of a stopped one. Returns the error that ended
 * the batch: `failure`, or one that occurred here.
 */
export function finishJournal(
  journal: FinishableJournal,
  failure: unknown,
  interrupted: boolean,
): unknown {
  try {
    if (failure === undefined && !interrupted) sortJournal(journal);
    // After a JournalError the state of the file is already known.
    else if (!(failure instanceof JournalError)) journal.flush();
    return failure;
  } catch (error) {
    return error;
  }
}

/** Sorts a complete journal. An unsorted one is still complete, so a failure is only a warning. */
export function sortJournal(journal: Pick<FinishableJournal, "compact">): void {
  try {
    journal.compact();
  } catch (error) {
    // Without a cause, the file was truncated or replaced: it is not complete.
    if (!(error instanceof JournalError) || error.cause === undefined) throw error;
    writeWarning(`the results are complete but not sorted: ${error.message}`);
  }
}
