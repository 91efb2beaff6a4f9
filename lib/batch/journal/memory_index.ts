/**
 * Stores the index of a journal in memory: 21 bytes per record, or 29 if records have costs.
 *
 * @module
 */
import type { LineEntry, LineLocation, RecordIndex, RecordState } from "./record_index.ts";

const STATES: readonly RecordState[] = ["none", "error", "success"];

/** Records per page. Growing by pages never copies, which would leave the old tables as garbage. */
const PAGE = 1 << 16;

/** The entries of {@link PAGE} consecutive indexes, as columns. */
class Page {
  readonly states = new Uint8Array(PAGE);
  readonly fingerprints = new Float64Array(PAGE);
  readonly offsets = new Float64Array(PAGE);
  readonly lengths = new Uint32Array(PAGE);
  /** Created by the first cost. */
  spent: Float64Array | undefined;
}

/** A {@link RecordIndex} in typed arrays. */
export class MemoryIndex implements RecordIndex {
  readonly #pages: (Page | undefined)[] = [];
  #end = 0;
  #successes = 0;
  #errors = 0;
  #spent = 0;

  get end(): number {
    return this.#end;
  }

  get successes(): number {
    return this.#successes;
  }

  get errors(): number {
    return this.#errors;
  }

  get spent(): number {
    return this.#spent;
  }

  state(index: number): RecordState {
    return STATES[this.#pages[Math.floor(index / PAGE)]?.states[index % PAGE] ?? 0];
  }

  fingerprint(index: number): number {
    return this.#page(index).fingerprints[index % PAGE];
  }

  setFingerprint(index: number, fingerprint: number): void {
    this.#page(index).fingerprints[index % PAGE] = fingerprint;
  }

  location(index: number): LineLocation {
    const page = this.#page(index);
    return { offset: page.offsets[index % PAGE], length: page.lengths[index % PAGE] };
  }

  set(index: number, { state, fingerprint, offset, length }: LineEntry): void {
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

  forget(index: number): void {
    this.#count(this.state(index), -1);
    this.#page(index).states[index % PAGE] = 0;
  }

  spentOn(index: number): number {
    return this.#pages[Math.floor(index / PAGE)]?.spent?.[index % PAGE] ?? 0;
  }

  spend(index: number, cost: number, before = this.spentOn(index)): void {
    if (cost + before === 0) return;
    const page = this.#page(index);
    page.spent ??= new Float64Array(PAGE);
    this.#spent += before + cost - page.spent[index % PAGE];
    page.spent[index % PAGE] = before + cost;
  }

  #page(index: number): Page {
    return this.#pages[Math.floor(index / PAGE)] ??= new Page();
  }

  #count(state: RecordState, change: number): void {
    if (state === "success") this.#successes += change;
    else if (state === "error") this.#errors += change;
  }
}
