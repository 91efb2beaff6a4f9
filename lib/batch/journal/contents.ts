/**
 * Tracks the lines of a journal's file: the index of its records, statistics of the existing answers, and
 * whether the lines are sorted.
 *
 * @module
 */
import { asNumber } from "../../json/json.ts";
import type { ExistingLine } from "./existing_line.ts";
import { ANY_INPUT, CHECKED, fingerprint } from "./fingerprint.ts";
import { JournalStats } from "./journal_stats.ts";
import { ModelIndexes } from "./model_indexes.ts";
import type { LineFacts } from "./result_line.ts";

/** Steps back by fewer records come from requests that ran concurrently. A larger step starts a new run. */
const FAR = 1 << 12;

/** How an input record relates to the journal. `changed`: the file has it with a different input. */
export type CheckResult = "new" | "done" | "changed";

/** The known contents of a journal's file. */
export class JournalContents {
  /** The records, by the model that was requested. */
  readonly indexes = new ModelIndexes();
  /** Statistics of the answers that earlier runs wrote. */
  readonly existing = new JournalStats();
  #lastIndex = -1;
  /** The position of the last line's model among the models. */
  #lastPosition = -1;
  /** The end of the last line. */
  #end = 0;
  #isSorted = true;
  #runs = 1;

  /** Whether the file, of `size` bytes, has one line per record, sorted by index, and nothing else. */
  isSorted(size: number): boolean {
    return this.#isSorted && this.#end === size;
  }

  /** The approximate number of sorted runs in the file. */
  get runs(): number {
    return this.#runs;
  }

  /**
   * Compares a record's input with the file and remembers the result, so that it is hashed only once.
   *
   * @param model the requested model; `undefined` for results that name none
   */
  check(index: number, input: unknown, model?: string): CheckResult {
    const records = this.indexes.of(model);
    const state = records.state(index);
    if (state === "none") return "new";
    const known = records.fingerprint(index);
    if (known !== CHECKED && known !== ANY_INPUT) {
      if (known !== fingerprint(input)) return "changed";
      records.setFingerprint(index, CHECKED);
    }
    return state === "success" ? "done" : "new";
  }

  /**
   * Whether the record was answered with an input that has the fingerprint `print`. Remembers that, as {@link check}
   * does. `false` says nothing: call {@link check}.
   */
  isAnswered(index: number, print: number, model?: string): boolean {
    const records = this.indexes.of(model);
    // NaN equals nothing.
    if (records.state(index) !== "success" || records.fingerprint(index) !== print) return false;
    records.setFingerprint(index, CHECKED);
    return true;
  }

  /** Adds a line that this run wrote at `offset`, `length` bytes without its newline. */
  addWritten(line: LineFacts, offset: number, length: number): void {
    this.#spend(line);
    this.#add(line, line.status, CHECKED, offset, length);
  }

  /** Adds a line that was in the file. */
  addExisting(line: ExistingLine, offset: number, length: number): void {
    this.existing.add(line);
    this.#spend(line);
    this.#add(line, line.state, line.fingerprint, offset, length);
  }

  #add(
    { index, requested_model: model }: LineFacts,
    state: "error" | "success",
    print: number,
    offset: number,
    length: number,
  ): void {
    const records = this.indexes.of(model);
    const position = this.indexes.positionOf(model);
    const isNext = index > this.#lastIndex ||
      (index === this.#lastIndex && position > this.#lastPosition);
    if (!isNext || offset !== this.#end) this.#isSorted = false;
    if (index < this.#lastIndex - FAR) this.#runs++;
    this.#lastIndex = index;
    this.#lastPosition = position;
    this.#end = offset + length + 1;
    records.set(index, { state, fingerprint: print, offset, length });
  }

  #spend({ index, requested_model, cost, spent_before }: LineFacts): void {
    // Other programs may write anything.
    this.indexes.of(requested_model).spend(index, asNumber(cost) ?? 0, asNumber(spent_before));
  }
}
