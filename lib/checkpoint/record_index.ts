/**
 * Where the record of each index stands in a result file, in 25 bytes a record.
 *
 * @module
 */

/** What is known of the record of one index. */
export type RecordState = "none" | "error" | "success";

const STATES: readonly RecordState[] = ["none", "error", "success"];

/** A table over record indexes that grows as needed. */
export class RecordIndex {
  #states = new Uint8Array(1024);
  #fingerprints = new Float64Array(1024);
  #offsets = new Float64Array(1024);
  #lengths = new Float64Array(1024);
  #end = 0;
  #successes = 0;
  #errors = 0;

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

  /** What is known of `index`. */
  state(index: number): RecordState {
    return index < this.#end ? STATES[this.#states[index]] : "none";
  }

  /** The fingerprint of the input of the record of `index`. */
  fingerprint(index: number): number {
    return this.#fingerprints[index];
  }

  /** The place of the record's line, in bytes, without its end. */
  place(index: number): { offset: number; length: number } {
    return { offset: this.#offsets[index], length: this.#lengths[index] };
  }

  /** Notes a record. A failure never takes the place of a success. */
  set(
    index: number,
    state: "error" | "success",
    fingerprint: number,
    offset: number,
    length: number,
  ): void {
    if (index >= this.#states.length) this.#grow(index + 1);
    const before = this.state(index);
    if (before === "success" && state === "error") return;
    this.#count(before, -1);
    this.#count(state, 1);
    this.#states[index] = STATES.indexOf(state);
    this.#fingerprints[index] = fingerprint;
    this.#offsets[index] = offset;
    this.#lengths[index] = length;
    this.#end = Math.max(this.#end, index + 1);
  }

  /** Forgets the record of `index`, so that any later one takes its place. */
  forget(index: number): void {
    this.#count(this.state(index), -1);
    this.#states[index] = 0;
  }

  #count(state: RecordState, change: number): void {
    if (state === "success") this.#successes += change;
    else if (state === "error") this.#errors += change;
  }

  #grow(needed: number): void {
    const size = Math.max(needed, this.#states.length * 2);
    const states = new Uint8Array(size);
    states.set(this.#states);
    this.#states = states;
    const [fingerprints, offsets, lengths] = [
      this.#fingerprints,
      this.#offsets,
      this.#lengths,
    ].map((old) => {
      const grown = new Float64Array(size);
      grown.set(old);
      return grown;
    });
    this.#fingerprints = fingerprints;
    this.#offsets = offsets;
    this.#lengths = lengths;
  }
}
