/**
 * Stores the index entries of consecutive records, as columns: 3 to 7 bytes for each record, 5 more until its input
 * has been compared, and 8 more if records have costs.
 *
 * @module
 */
import { ANY_INPUT, CHECKED } from "./fingerprint.ts";
import { LineTable } from "./line_table.ts";
import type { LineEntry, LineLocation, RecordState } from "./record_index.ts";

/** Records per page. Growing by pages never copies, which would leave the old tables as garbage. */
export const PAGE = 1 << 16;

const STATES: readonly RecordState[] = ["none", "error", "success"];
const STATE_BITS = 0b11;

/** How an input is compared, in the bits after the state's. */
const COMPARED = { checked: 0b0000, hash: 0b0100, any: 0b1000, never: 0b1100 } as const;
const COMPARED_BITS = 0b1100;

const LOW = 2 ** 32;

function comparedBy(fingerprint: number): number {
  if (fingerprint === CHECKED) return COMPARED.checked;
  if (fingerprint === ANY_INPUT) return COMPARED.any;
  return fingerprint >= 0 ? COMPARED.hash : COMPARED.never;
}

/** Hashes of 40 bits. */
class HashTable {
  readonly low = new Uint32Array(PAGE);
  readonly high = new Uint8Array(PAGE);
  /** Records whose input has not been compared yet. */
  used = 0;
}

/** The entries of {@link PAGE} consecutive records, by their position in the page. */
export class IndexPage {
  readonly #states = new Uint8Array(PAGE);
  readonly #lines = new LineTable(PAGE);
  /** Removed once all inputs have been compared. */
  #hashes: HashTable | undefined;
  /** Created by the first cost. */
  #spent: Float64Array | undefined;

  /** The state of a record. */
  state(position: number): RecordState {
    return STATES[this.#states[position] & STATE_BITS];
  }

  /** The location of a record's line. */
  location(position: number): LineLocation {
    return this.#lines.get(position);
  }

  /** Sets the entry of a record. */
  set(position: number, { state, fingerprint, offset, length }: LineEntry): void {
    this.setFingerprint(position, fingerprint);
    this.#states[position] = this.#states[position] & COMPARED_BITS | STATES.indexOf(state);
    this.#lines.set(position, offset, length);
  }

  /** Makes the state of a record `none`. */
  forget(position: number): void {
    this.#states[position] &= COMPARED_BITS;
  }

  /** The fingerprint of a record's input. */
  fingerprint(position: number): number {
    switch (this.#states[position] & COMPARED_BITS) {
      case COMPARED.checked:
        return CHECKED;
      case COMPARED.any:
        return ANY_INPUT;
      case COMPARED.never:
        return NaN;
    }
    const { low, high } = this.#hashes!;
    return high[position] * LOW + low[position];
  }

  /** Replaces the fingerprint of a record's input. */
  setFingerprint(position: number, fingerprint: number): void {
    const before = this.#states[position] & COMPARED_BITS;
    const after = comparedBy(fingerprint);
    this.#states[position] = this.#states[position] & STATE_BITS | after;
    if (after === COMPARED.hash) {
      const hashes = this.#hashes ??= new HashTable();
      hashes.low[position] = fingerprint % LOW;
      hashes.high[position] = Math.floor(fingerprint / LOW);
      if (before !== COMPARED.hash) hashes.used++;
    } else if (before === COMPARED.hash && --this.#hashes!.used === 0) {
      this.#hashes = undefined;
    }
  }

  /** USD spent on a record. */
  spent(position: number): number {
    return this.#spent?.[position] ?? 0;
  }

  /** Replaces what was spent on a record. */
  setSpent(position: number, usd: number): void {
    this.#spent ??= new Float64Array(PAGE);
    this.#spent[position] = usd;
  }
}
