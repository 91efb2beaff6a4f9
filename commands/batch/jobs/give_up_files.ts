/**
 * Gives up exported files whose results will not be imported, so that their records can be sent otherwise.
 *
 * @module
 */
import { Journal } from "../../../lib/batch/journal/journal.ts";
import { openPartStore } from "../../../lib/batch/jobs/open_part_store.ts";
import { holdsRows, type PartState } from "../../../lib/batch/jobs/part_events.ts";

/** The parts whose rows are in exported files. */
export function exportedParts(parts: readonly PartState[]): PartState[] {
  return parts.filter((part) => holdsRows(part) && part.api === "export");
}

/**
 * Frees the records of all exported parts of the result file `output`.
 *
 * @throws {LockedFileError} if another process is writing the result file
 */
export async function giveUpFiles(output: string): Promise<PartState[]> {
  const journal = await Journal.open(output);
  try {
    using store = await openPartStore(output);
    return exportedParts(store.parts).map(({ part }) => {
      const state = store.log(part, { type: "dropped", why: "given up" });
      store.release(state);
      return state;
    });
  } finally {
    journal.close();
  }
}
