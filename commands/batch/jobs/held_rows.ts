/**
 * Counts the rows of parts that are, or may be, at a provider.
 *
 * @module
 */
import type { Journal } from "../../../lib/batch/journal/journal.ts";
import { holdsRows, type PartState } from "../../../lib/batch/jobs/part_events.ts";
import type { PartStore } from "../../../lib/batch/jobs/part_store.ts";
import type { ModelBatch } from "../model_batches.ts";

type States = Pick<Journal, "state">;

/** Rows of a part that have no result yet. */
export function openRows(part: PartState, store: PartStore, journal: States): number {
  if (!holdsRows(part)) return 0;
  // Results are written only after a job has ended.
  if (part.phase !== "ended" && part.phase !== "exported") return part.rows;
  using records = store.records(part);
  return records.indexes.filter((index) => journal.state(index, part.requested_model) !== "success")
    .length;
}

/**
 * Counts the rows of held parts among the records of their models, also if `--limit` and the like leave them out:
 * their results are collected in any case.
 */
export function withHeldRows(
  batches: readonly ModelBatch[],
  store: PartStore,
  namesModels: boolean,
): ModelBatch[] {
  return batches.map((batch) => {
    const { model, journal, check } = batch;
    const held = store.parts.filter((part) =>
      holdsRows(part) && part.requested_model === (namesModels ? model.name : undefined)
    );
    if (held.length === 0) return batch;
    const pending = new Set(Array.from(check.lines, ({ index }) => index));
    let more = 0;
    for (const part of held) {
      using records = store.records(part);
      for (const index of records.indexes) {
        if (!pending.has(index) && journal!.state(index) !== "success") more++;
      }
    }
    const counts = { total: check.total + more, pending: check.pending + more };
    return { ...batch, check: { ...check, ...counts } };
  });
}
