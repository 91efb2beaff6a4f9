/**
 * Keeps numbers within what SQLite stores as integers and JavaScript reads exactly. A row that cannot be stored
 * would be retried for ever, and hold up all others.
 *
 * @module
 */

/** The largest number that is stored, and the largest sum. */
export const MAX_STORED = Number.MAX_SAFE_INTEGER;

/** `value` as a whole number from 0 to {@link MAX_STORED}. */
export function storable(value: number): number {
  return value > 0 ? Math.min(Math.round(value), MAX_STORED) : 0;
}

/** The SQL for the sum of a column, of which a filter may select rows. */
export function sumOf(column: string, filter = ""): string {
  return `min(sum(${column})${filter}, ${MAX_STORED})`;
}
