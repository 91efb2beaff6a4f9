/**
 * The interface of the writers of tables, one for each format.
 *
 * @module
 */

/** The formats that results can be converted to. */
export const TABLE_FORMATS = ["csv", "tsv", "jsonl", "md", "parquet"] as const;

/** A format that results can be converted to. */
export type TableFormat = (typeof TABLE_FORMATS)[number];

/** Writes the rows of a table. */
export interface TableWriter {
  /** Writes a row with the value of each column. */
  row(values: readonly unknown[]): void;
  /** Writes what is left. */
  end(): void;
}

/** Writes bytes, all of them before it returns. */
export type WriteBytes = (bytes: Uint8Array) => void;
