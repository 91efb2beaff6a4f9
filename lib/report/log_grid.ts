/**
 * Counts pairs of values by size in a grid whose cells grow with the values.
 *
 * @module
 */

/** Cells per factor of ten. */
const PER_DECADE = 6;
const DECADES = 8;
const SIZE = PER_DECADE * DECADES;

/** A cell that is not empty. */
export interface GridCell {
  x: readonly [from: number, to: number];
  y: readonly [from: number, to: number];
  count: number;
}

/** The index of the cell of a value whose smallest is `smallest`. */
function cellOf(value: number, smallest: number): number {
  const cell = Math.floor(Math.log10(value / smallest) * PER_DECADE + 1e-9);
  return Math.max(0, Math.min(SIZE - 1, cell));
}

function bounds(cell: number, smallest: number): readonly [from: number, to: number] {
  return [smallest * 10 ** (cell / PER_DECADE), smallest * 10 ** ((cell + 1) / PER_DECADE)];
}

/** Counts of pairs: of numbers from 1 on, and of durations from 1 ms on. */
export class LogGrid {
  readonly #counts = new Uint32Array(SIZE * SIZE);

  /** Adds a pair. */
  add(x: number, seconds: number): void {
    this.#counts[cellOf(x, 1) * SIZE + cellOf(seconds, 1e-3)]++;
  }

  /** The cells that are not empty. */
  cells(): GridCell[] {
    const cells: GridCell[] = [];
    for (const [i, count] of this.#counts.entries()) {
      if (count === 0) continue;
      cells.push({ x: bounds(Math.floor(i / SIZE), 1), y: bounds(i % SIZE, 1e-3), count });
    }
    return cells;
  }
}
