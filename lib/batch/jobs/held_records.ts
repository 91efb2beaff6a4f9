/**
 * Finds the records that are in a live part: at a provider, or exported. They must not be sent again.
 *
 * @module
 */
import type { IndexedRecord } from "../executor.ts";
import { changedRecord, isSameRecord } from "./changed_record.ts";
import { holdsRows, type PartState } from "./part_events.ts";
import type { PartRecords, PartStore } from "./part_store.ts";

/** A live part, with its records open. */
export interface HeldPart {
  state: PartState;
  records: PartRecords;
}

/** The live parts of one model. */
export class HeldRecords implements Disposable {
  readonly parts: HeldPart[] = [];

  /**
   * Opens the records of all live parts.
   *
   * @param requestedModel the name of the model in the command; only if the batch has several
   * @throws {JournalError} if the records of a part are missing or damaged
   */
  constructor(store: PartStore, requestedModel: string | undefined) {
    try {
      for (const state of store.parts) {
        if (!holdsRows(state) || state.requested_model !== requestedModel) continue;
        this.parts.push({ state, records: store.records(state) });
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * The live part that has a record of the input.
   *
   * @throws {JournalMismatchError} if the record differs from the one in the part, unless `mayDiffer`
   */
  partOf(record: IndexedRecord, mayDiffer = false): HeldPart | undefined {
    for (const part of this.parts) {
      const sent = part.records.get(record.index);
      if (sent === undefined) continue;
      if (!mayDiffer && !isSameRecord(sent, record)) throw changedRecord(record, part.state);
      return part;
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    for (const { records } of this.parts.splice(0)) records[Symbol.dispose]();
  }
}
