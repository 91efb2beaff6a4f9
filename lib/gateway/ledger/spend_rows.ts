/**
 * Adds up rows of spending.
 *
 * @module
 */
import type { SpendCounts, SpendFilter, SpendRow } from "./ledger.ts";

/** The counts of a row, in the order of the database's columns. */
export const COUNTS = [
  "requests",
  "unpriced",
  "promptTokens",
  "cachedTokens",
  "cacheWriteTokens",
  "completionTokens",
  "reasoningTokens",
  "cost",
] as const satisfies readonly (keyof SpendCounts)[];

/** Rows by day, account, model and endpoint, each combination once. */
export class SpendRows {
  readonly #rows = new Map<string, SpendRow>();

  /** The number of rows. */
  get size(): number {
    return this.#rows.size;
  }

  /** Adds the counts of `row` to those of the same combination. */
  add(row: SpendRow): void {
    const id = `${row.day}\n${row.key}\n${row.team}\n${row.model}\n${row.endpoint}`;
    const sum = this.#rows.get(id);
    if (sum === undefined) this.#rows.set(id, { ...row });
    else for (const count of COUNTS) sum[count] += row[count];
  }

  /** Moves the days before `day` into one row without a day per combination. */
  prune(day: string): void {
    const rows = Array.from(this.#rows.values());
    this.#rows.clear();
    for (const row of rows) this.add(row.day < day ? { ...row, day: "" } : row);
  }

  /** The rows that a filter selects, the oldest day first. */
  select({ from, key }: SpendFilter = {}): SpendRow[] {
    return Array.from(this.#rows.values())
      .filter((row) => (from === undefined || row.day >= from) && (key ?? row.key) === row.key)
      .sort((a, b) => a.day < b.day ? -1 : a.day > b.day ? 1 : 0);
  }

  /** Removes and returns all rows. */
  take(): SpendRow[] {
    const rows = Array.from(this.#rows.values());
    this.#rows.clear();
    return rows;
  }
}
