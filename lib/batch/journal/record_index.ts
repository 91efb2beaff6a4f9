/**
 * The index of a journal, by record: state, location, input fingerprint and cost.
 *
 * An interface, so that the index of a very large batch can be on disk. {@link MemoryIndex} is in memory.
 *
 * @module
 */

/** The state of a record: not in the file, only failed so far, or answered. */
export type RecordState = "none" | "error" | "success";

/** The location of a line in the file, in bytes. `length` excludes its newline. */
export interface LineLocation {
  offset: number;
  length: number;
}

/** The index entry of a line. */
export interface LineEntry extends LineLocation {
  state: "error" | "success";
  /** A hash of the record's input, or a special value, see fingerprint.ts; `NaN` matches nothing. */
  fingerprint: number;
}

/** One entry for each record of a journal. */
export interface RecordIndex {
  /** One more than the highest index. */
  readonly end: number;
  /** Records that were answered. */
  readonly successes: number;
  /** Records that have only failed so far. */
  readonly errors: number;
  /** USD that all records cost, including answers that were replaced. */
  readonly spent: number;
  /** The state of the record `index`. */
  state(index: number): RecordState;
  /** The fingerprint of the record's input. The record must be in the index. */
  fingerprint(index: number): number;
  /** Replaces the fingerprint of a record that is in the index. */
  setFingerprint(index: number, fingerprint: number): void;
  /** The location of the record's line. The record must be in the index. */
  location(index: number): LineLocation;
  /** Adds a line. A failure never replaces a success. */
  set(index: number, entry: LineEntry): void;
  /** Removes the record's line, so that any later one replaces it. Its cost still counts. */
  forget(index: number): void;
  /** USD spent on the record so far. */
  spentOn(index: number): number;
  /**
   * Adds an answer's `cost` in USD.
   *
   * @param before the cost of earlier answers to the record, if its line states it; default: their
   *   sum so far
   */
  spend(index: number, cost: number, before?: number): void;
}
