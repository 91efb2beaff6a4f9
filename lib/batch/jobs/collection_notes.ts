/**
 * Reports what was unusual about the results of a job.
 *
 * @module
 */
import type { Job } from "../../batch_api/batch_api.ts";
import type { Collection } from "./collection.ts";
import { allFailedNote, duplicateRowsNote, foreignRowsNote, leftNote } from "./job_notes.ts";

/**
 * The messages about a collection.
 *
 * @param isSentAgain whether this run sends the records that are left
 */
export function collectionNotes(collection: Collection, job: Job, isSentAgain: boolean): string[] {
  const { answered, failed, foreign, duplicates, left, missing, notRun, temporary, reason } =
    collection;
  const notes: string[] = [];
  if (foreign > 0) notes.push(foreignRowsNote(foreign, job));
  if (duplicates > 0) notes.push(duplicateRowsNote(duplicates, job));
  if (failed > 1 && answered === 0) {
    notes.push(allFailedNote(failed, job, collection.commonestMessage));
  }
  if (left.length > 0) {
    notes.push(leftNote({ missing, notRun, failed: temporary, reason }, job, isSentAgain));
  }
  return notes;
}
