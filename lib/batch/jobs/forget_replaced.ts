/**
 * Makes room for results that replace earlier ones: those of records that have changed (`rerunChanged`).
 *
 * @module
 */
import type { RunJournal } from "../journal/model_journal.ts";
import { inputIdentity } from "../journal/result_line.ts";
import { holdsRows } from "./part_events.ts";
import type { PartStore } from "./part_store.ts";

/**
 * Forgets results whose record has changed since, and is in a job again: that job has its result. The records of
 * `requestedModel` are compared, `undefined` in a batch with one model.
 */
export function forgetReplaced(
  store: PartStore,
  journal: Pick<RunJournal, "state" | "isDone">,
  requestedModel?: string,
): void {
  for (const part of store.parts) {
    if (!holdsRows(part) || part.requested_model !== requestedModel) continue;
    using records = store.records(part);
    for (const index of records.indexes) {
      if (journal.state(index) !== "success") continue;
      journal.isDone(index, inputIdentity(records.get(index)!), true);
    }
  }
}
