/**
 * Where the record of each index stands in a result file, and what its answers have cost, in 21 bytes a
 * record, and 8 more where there are costs.
 *
 * @module
 */

/** What is known of the record of one index. */
export type RecordState = "none" | "error" | "success";

const STATES: readonly RecordState[] = ["none", "error", "success"];

/** Records of a page. Pages are never copied: a table that doubles leaves its old halves behind. */
const PAGE = 1 << 16;

/** The entries of some indexes that follow each other. */
class Page {
  readonly states = new Uint8Array(PAGE);
  readonly fingerprints = new Float64Array(PAGE);
  readonly offsets = new Float64Array(PAGE);
  readonly lengths = new Uint32Array(PAGE);
  /** Made with the first cost. */
  spent: Float64Array | undefined;
}

/** A table over record indexes that grows as needed. */
export class RecordIndex {
  readonly #pages: (Page | undefined)[] = [];
  #end = 0;
  #successes = 0;
  #errors = 0;
  #spent = 0;

  /** One more than the highest index known. */
  get end(): number {
    return this.#end;
  }

  /** How many indexes have a successful record. */
  get successes(): number {
    return this.#successes;
  }

  /** How many indexes have a failed record, and no successful one. */
  get errors(): number {
    return this.#errors;
  }

  /** USD that all records have cost, those that others took the place of included. */
  get spent(): number {
    return this.#spent;
  }

  /** USD that the record of `index` has cost so far. */
  spentOn(index: number): number {
    return this.#pages[Math.floor(index / PAGE)]?.spent?.[index % PAGE] ?? 0;
  }

  /**
   * Notes that an answer to `index` has cost `cost` USD. `before` is what earlier ones have, where the
   * record says it; else they are those that were noted.
   */
  spend(index: number, cost: number, before = this.spentOn(index)): void {
    if (cost + before === 0) return;
    const page = this.#page(index);
    page.spent ??= new Float64Array(PAGE);
    this.#spent += before + cost - page.spent[index % PAGE];
    page.spent[index % PAGE] = before + cost;
  }

  /** What is known of `index`. */
  state(index: number): RecordState {
    return STATES[this.#pages[Math.floor(index / PAGE)]?.states[index % PAGE] ?? 0];
  }

  /** The fingerprint of the input of the record of `index`, which is known. */
  fingerprint(index: number): number {
    return this.#page(index).fingerprints[index % PAGE];
  }

  /** The place of the record's line, in bytes, without its end. */
  place(index: number): { offset: number; length: number } {
    const page = this.#page(index);
    return { offset: page.offsets[index % PAGE], length: page.lengths[index % PAGE] };
  }

  /** Notes a record. A failure never takes the place of a success. */
  set(
    index: number,
    state: "error" | "success",
    fingerprint: number,
    offset: number,
    length: number,
  ): void {
    const before = this.state(index);
    if (before === "success" && state === "error") return;
    this.#count(before, -1);
    this.#count(state, 1);
    const page = this.#page(index);
    const i = index % PAGE;
    page.states[i] = STATES.indexOf(state);
    page.fingerprints[i] = fingerprint;
    page.offsets[i] = offset;
    page.lengths[i] = length;
    this.#end = Math.max(this.#end, index + 1);
  }

  /** Forgets the record of `index`, so that any later one takes its place. */
  forget(index: number): void {
    this.#count(this.state(index), -1);
    this.#page(index).states[index % PAGE] = 0;
  }

  #page(index: number): Page {
    return this.#pages[Math.floor(index / PAGE)] ??= new Page();
  }

  #count(state: RecordState, change: number): void {
    if (state === "success") this.#successes += change;
    else if (state === "error") this.#errors += change;
  }
}
