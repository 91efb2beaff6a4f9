/**
 * What is known of the records of a result file: where each is, of which input, what it has cost, and
 * whether they are in order.
 *
 * @module
 */
import { fingerprint } from "./fingerprint.ts";
import { JournalStats } from "./journal_stats.ts";
import { comparedLine, type ResultRecord } from "./result_line.ts";
import { RecordIndex } from "./record_index.ts";

/** In place of the fingerprint of a failure that says nothing of its input. */
const ANY_INPUT = -1;

/** The index of one result file. */
export class JournalIndex {
  /** The places and states. */
  readonly records = new RecordIndex();
  /** The answers that this run did not give. */
  readonly found = new JournalStats();
  #lastIndex = -1;
  /** The end of the last record. */
  #end = 0;
  #isOrdered = true;

  /** Whether the records are in the order of their indexes, with nothing between them, up to `size`. */
  isOrdered(size: number): boolean {
    return this.#isOrdered && this.#end === size;
  }

  /** Whether the record `index` has the given input; `undefined` when that is not known. */
  hasInput(index: number, input: unknown): boolean | undefined {
    const known = this.records.fingerprint(index);
    return known === ANY_INPUT ? undefined : known === fingerprint(input);
  }

  /** Notes a record of this run, whose line of `length` bytes, without its end, is at `offset`. */
  noteWritten(record: ResultRecord, offset: number, length: number): void {
    this.#spend(record);
    // Its input is never compared: no fingerprint is needed.
    this.#note(record.index, record.status, NaN, offset, length);
  }

  /** Notes a record that was found in the file. */
  noteFound(record: ResultRecord, offset: number, length: number): void {
    this.found.add(record);
    this.#spend(record);
    if (record.input !== undefined) {
      const print = fingerprint(comparedLine(record));
      return this.#note(record.index, record.status, print, offset, length);
    }
    // Without its input a result cannot be compared, so the record is sent again; after a success, which
    // was paid for, only if the user says so.
    const print = record.status === "error" ? ANY_INPUT : NaN;
    this.#note(record.index, "error", print, offset, length);
  }

  #note(
    index: number,
    state: "error" | "success",
    print: number,
    offset: number,
    length: number,
  ): void {
    if (index <= this.#lastIndex || offset !== this.#end) this.#isOrdered = false;
    this.#lastIndex = index;
    this.#end = offset + length + 1;
    this.records.set(index, state, print, offset, length);
  }

  #spend({ index, cost, spent_before }: ResultRecord): void {
    this.records.spend(index, typeof cost === "number" ? cost : 0, spent_before);
  }
}
