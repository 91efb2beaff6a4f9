/**
 * Deletes the provider's files of a job that is collected or refused.
 *
 * @module
 */
import type { JobContext } from "./job_context.ts";
import { notCleanedNote } from "./job_notes.ts";
import type { LivePart } from "./live_part.ts";

/** Deletes the files of a part's job if the user wants it. Returns whether they are deleted. */
export async function deleteFiles(part: LivePart, context: JobContext): Promise<boolean> {
  const { client: { api, http }, options } = context;
  const { job, uploaded } = part.state;
  if (!options.clean || job === undefined || api.clean === undefined) return false;
  try {
    await api.clean(http, job, uploaded);
    return true;
  } catch (error) {
    // The results are safe, so this is no reason to stop.
    context.note(notCleanedNote(part.state, error));
    return false;
  }
}
