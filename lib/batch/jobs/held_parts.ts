/**
 * Finds the parts of a result file whose rows are, or may be, at a provider, and refuses to send them elsewhere.
 *
 * @module
 */
import { ConfigurationError, JournalError } from "../../errors.ts";
import { count } from "./job_notes.ts";
import { holdsRows, type PartState } from "./part_events.ts";
import type { PartStore } from "./part_store.ts";

/** Parts that a message names. */
const SHOWN = 3;

/** Parts in words: `2 jobs (200 records): batch_1, batch_2`. */
function described(parts: readonly PartState[]): string {
  const rows = parts.reduce((sum, { rows }) => sum + rows, 0);
  const names = parts.slice(0, SHOWN).map(({ part, job }) => job?.id ?? part).join(", ");
  const more = parts.length > SHOWN ? ` and ${parts.length - SHOWN} more` : "";
  return `${count(parts.length, "job")} (${count(rows, "record")}): ${names}${more}`;
}

/**
 * Checks that no record of `output` is at a provider, so that live requests don't pay for it a second time.
 *
 * @throws {ConfigurationError} if one is
 */
export function checkNotSubmitted(parts: readonly PartState[], output: string): void {
  const held = parts.filter((part) =>
    holdsRows(part) && part.phase !== "planned" && part.phase !== "uploaded"
  );
  if (held.length === 0) return;
  throw new ConfigurationError(`${output} has ${described(held)} at a provider`, {
    hint: 'Collect the results first with via: "provider" or openBatch(), or cancel the jobs.',
  });
}

/**
 * Checks that the jobs of `output` are not those of a command with several models.
 *
 * @throws {JournalError} if they are
 */
export function checkSingleModelParts(parts: readonly PartState[], output: string): void {
  const named = parts.filter((part) => holdsRows(part) && part.requested_model !== undefined);
  if (named.length === 0) return;
  throw new JournalError(`${output} has jobs of a batch with several models: ${described(named)}`, {
    hint: "Collect them with the command that submitted them, or choose another output file.",
  });
}

/** The indexes of all records in parts that hold their rows. */
export function heldIndexes(store: PartStore): Set<number> {
  const held = new Set<number>();
  for (const part of store.parts) {
    if (!holdsRows(part)) continue;
    using records = store.records(part);
    for (const index of records.indexes) held.add(index);
  }
  return held;
}
