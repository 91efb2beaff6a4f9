/**
 * Keeps what one gateway has spent: what the shared ledger knows of it, and what its file holds.
 *
 * @module
 */
import type { SpendRow } from "../ledger.ts";
import { COUNTS } from "../spend_rows.ts";
import { storable } from "../stored_number.ts";

/** The counts of a row, in the order of {@link COUNTS}. */
export type Counts = number[];

/** A sum of spending, as the shared ledger takes it. */
export interface ReportedRow {
  /** Day, key, team, model and endpoint, as JSON. */
  field: string;
  day: string;
  key: string;
  team: string;
  counts: Counts;
}

interface OwnRow {
  readonly row: Omit<SpendRow, typeof COUNTS[number]>;
  readonly field: string;
  counts: Counts;
  /** What the shared ledger has confirmed. */
  shared: Counts;
  /** What the file holds. */
  filed: Counts;
}

/** The name of a row in the shared ledger. */
export function fieldOf(
  { day, key, team, model, endpoint }: Omit<SpendRow, typeof COUNTS[number]>,
): string {
  return JSON.stringify([day, key, team, model, endpoint]);
}

/** Parses a row of the shared ledger. */
export function rowOf(field: string, counts: string): SpendRow {
  const [day, key, team, model, endpoint] = JSON.parse(field) as string[];
  const values = counts.split(" ").map(Number);
  const row = { day, key, team, model, endpoint } as SpendRow;
  COUNTS.forEach((count, i) => row[count] = values[i] ?? 0);
  return row;
}

const NONE: Counts = COUNTS.map(() => 0);

/** The spending of this gateway. */
export class OwnSpend {
  readonly #rows = new Map<string, OwnRow>();
  readonly #changed = new Set<OwnRow>();
  readonly #file: ((row: SpendRow) => void) | undefined;

  /** @param file stores a difference in the gateway's file */
  constructor(file: ((row: SpendRow) => void) | undefined) {
    this.#file = file;
  }

  /** Whether the shared ledger knows everything. */
  get isShared(): boolean {
    return this.#changed.size === 0;
  }

  /** Takes over a row of the file. */
  load(row: SpendRow): void {
    const own = this.#row(row);
    own.counts = own.filed = COUNTS.map((count) => row[count]);
    this.#changed.add(own);
  }

  /** Takes over a row that the shared ledger has of this gateway: an earlier process may not have filed it. */
  merge(row: SpendRow): void {
    const own = this.#row(row);
    own.counts = COUNTS.map((count, i) => Math.max(row[count], own.counts[i]));
    this.#changed.add(own);
    this.#store(own, own.counts);
  }

  /** Adds what was spent. */
  add(row: SpendRow): void {
    const own = this.#row(row);
    own.counts = COUNTS.map((count, i) => own.counts[i] + storable(row[count]));
    this.#changed.add(own);
  }

  /** Removes up to `limit` rows from those that the shared ledger does not know. */
  take(limit: number): ReportedRow[] {
    const taken: ReportedRow[] = [];
    for (const own of this.#changed) {
      if (taken.length === limit) break;
      this.#changed.delete(own);
      const { field, row: { day, key, team }, counts } = own;
      taken.push({ field, day, key, team, counts });
    }
    return taken;
  }

  /** The shared ledger has these rows. */
  confirm(rows: readonly ReportedRow[]): void {
    for (const { field, counts } of rows) {
      const own = this.#rows.get(field)!;
      own.shared = counts;
      this.#store(own, counts);
    }
  }

  /** The shared ledger may not have these rows. */
  putBack(rows: readonly ReportedRow[]): void {
    for (const { field } of rows) this.#changed.add(this.#rows.get(field)!);
  }

  /** Stores everything in the file, also what the shared ledger does not have. */
  fileAll(): void {
    if (this.#file === undefined) return;
    for (const own of this.#changed) this.#store(own, own.counts);
  }

  /** The shared ledger has lost everything. */
  forgetShared(): void {
    for (const own of this.#rows.values()) {
      own.shared = NONE;
      this.#changed.add(own);
    }
  }

  /** Starts over with what the shared ledger does not have; the rest counts as that of an ended gateway. */
  restart(): void {
    for (const own of this.#rows.values()) {
      own.counts = own.counts.map((count, i) => count - own.shared[i]);
      own.shared = NONE;
      if (own.counts.every((count) => count === 0)) {
        this.#rows.delete(own.field);
        this.#changed.delete(own);
      }
    }
  }

  /** All rows. */
  rows(): SpendRow[] {
    return Array.from(this.#rows.values(), ({ field, counts }) => rowOf(field, counts.join(" ")));
  }

  #row({ day, key, team, model, endpoint }: SpendRow): OwnRow {
    const row = { day, key, team, model, endpoint };
    const field = fieldOf(row);
    let own = this.#rows.get(field);
    if (own === undefined) {
      own = { row, field, counts: NONE, shared: NONE, filed: NONE };
      this.#rows.set(field, own);
    }
    return own;
  }

  #store(own: OwnRow, counts: Counts): void {
    if (this.#file === undefined) return;
    const more = counts.map((count, i) => Math.max(0, count - own.filed[i]));
    if (more.every((count) => count === 0)) return;
    own.filed = own.filed.map((count, i) => count + more[i]);
    const row = { ...own.row } as SpendRow;
    COUNTS.forEach((count, i) => row[count] = more[i]);
    this.#file(row);
  }
}
