/**
 * Holds what an earlier run of the same job has left in Redis, until the input reaches those records.
 *
 * @module
 */
import type { ResultGroup, WorkResult } from "../work_result.ts";
import type { ListedRecord } from "./work_stream.ts";

/** A result whose record was not read from the input yet. */
export interface EarlyResult {
  result: WorkResult;
  group: ResultGroup;
}

/** The records and results of an earlier run, by index. */
export class Leftovers {
  readonly #records = new Map<number, ListedRecord>();
  readonly #results = new Map<number, EarlyResult>();
  #reached = -1;

  /** Adds a record that is in the work stream. */
  addRecord(record: ListedRecord): void {
    this.#records.set(record.index, record);
  }

  /** Adds a result of a record that the input has not reached. */
  addResult(result: WorkResult, group: ResultGroup): void {
    this.#results.set(result.i, { result, group });
  }

  /** How many results wait for their records. */
  get resultCount(): number {
    return this.#results.size;
  }

  /** Notes that the input was read up to a record. */
  reach(index: number): void {
    this.#reached = Math.max(this.#reached, index);
  }

  /** Whether the input has not reached a record, and there is no result for it. */
  isAwaited(index: number): boolean {
    return index > this.#reached && !this.#results.has(index);
  }

  /** Whether an entry of the work stream is one of those left. */
  hasEntry({ id, index }: ListedRecord): boolean {
    return this.#records.get(index)?.id === id;
  }

  /** Removes and returns the result for a record. */
  takeResult(index: number): EarlyResult | undefined {
    const result = this.#results.get(index);
    this.#results.delete(index);
    return result;
  }

  /** Removes a record with this content. Returns whether it is in the work stream. */
  takeRecord(index: number, hash: string): boolean {
    return this.#records.get(index)?.hash === hash && this.#records.delete(index);
  }

  /**
   * Removes what this run does not need: the input has passed it by, or has a changed record in its place. Returns the
   * ids of the entries and of the groups of results.
   */
  takeStale(): { entries: string[]; groups: string[] } {
    const entries: string[] = [];
    const groups: string[] = [];
    for (const [index, { id }] of this.#records) {
      if (index <= this.#reached && this.#records.delete(index)) entries.push(id);
    }
    for (const [index, { group }] of this.#results) {
      if (index <= this.#reached && this.#results.delete(index)) groups.push(group.id);
    }
    return { entries, groups };
  }

  /** Forgets the records: Redis has lost them. */
  clearRecords(): void {
    this.#records.clear();
  }
}
