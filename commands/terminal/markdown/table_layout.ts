/**
 * Lays out a Markdown table: columns fit the terminal, and long cells wrap.
 *
 * @module
 */
import { plainRun, type Run, SGR, widthOfRuns, withStyle } from "./runs.ts";
import { WordWrap } from "./word_wrap.ts";
import { widthOf } from "../width.ts";

/** How the cells of a column are aligned. */
export type Alignment = "left" | "center" | "right";

/** A table with rendered cells. A newline in a cell starts a line. */
export interface Table {
  header: Run[][];
  alignments: Alignment[];
  rows: Run[][][];
}

const SEPARATOR = " │ ";
/** Words up to this width are not broken; where there is no space for that, up to the next. */
const UNBROKEN = [16, 12, 8];

function linesOf(cell: readonly Run[], columns = Infinity): Run[][] {
  const wrap = new WordWrap(() => columns, true);
  const lines: Run[][] = [[]];
  for (const run of [...wrap.write(cell), ...wrap.end()]) {
    if (run.text === "\n") lines.push([]);
    else lines.at(-1)!.push(run);
  }
  return lines;
}

function naturalWidth(cell: readonly Run[]): number {
  return Math.max(...linesOf(cell).map(widthOfRuns));
}

function longestWord(cell: readonly Run[]): number {
  const words = cell.map(({ text }) => text).join("").split(/\s+/);
  return Math.max(...words.map(widthOf));
}

/** Gives the columns what they need, the narrowest first, so that only wide ones shrink. */
function distribute(natural: readonly number[], least: number[], available: number): number[] {
  const widths = [...least];
  let left = available - widths.reduce((sum, width) => sum + width, 0);
  while (left > 0) {
    const growing = widths.map((_, i) => i).filter((i) => widths[i] < natural[i]);
    if (growing.length === 0) break;
    const next = growing.reduce((a, b) => widths[b] < widths[a] ? b : a);
    widths[next]++;
    left--;
  }
  return widths;
}

/** The widths of the columns; `undefined` if the terminal is too narrow for columns. */
function columnWidths({ header, rows }: Table, columns: number): number[] | undefined {
  const cells = header.map((cell, i) => [cell, ...rows.map((row) => row[i])]);
  const natural = cells.map((column) => Math.max(1, ...column.map(naturalWidth)));
  const available = columns - SEPARATOR.length * (header.length - 1);
  const sum = (widths: readonly number[]) => widths.reduce((a, b) => a + b, 0);
  if (sum(natural) <= available) return natural;
  const words = cells.map((column) => Math.max(1, ...column.map(longestWord)));
  for (const unbroken of UNBROKEN) {
    const least = words.map((width) => Math.min(width, unbroken));
    if (sum(least) <= available) return distribute(natural, least, available);
  }
  return undefined;
}

/** Prints tables of one shape, row by row. */
export class TableLayout {
  readonly #table: Table;
  readonly #widths: number[] | undefined;
  readonly #columns: number;
  readonly #styles: boolean;
  #hasWrapped = false;
  #isFirst = true;

  /** Fits the columns to the rows of `table`. */
  constructor(table: Table, columns: number, styles: boolean) {
    this.#table = table;
    this.#columns = columns;
    this.#styles = styles;
    this.#widths = columnWidths(table, columns);
    this.#hasWrapped = this.#widths !== undefined && table.rows.some((row) => this.#wraps(row));
  }

  #wraps(row: readonly Run[][]): boolean {
    return row.some((cell, i) => linesOf(cell, this.#widths![i]).length > 1);
  }

  #dim(text: string): Run {
    return { text, style: this.#styles ? SGR.dim : "" };
  }

  #bold(cell: readonly Run[]): Run[] {
    if (!this.#styles) return [...cell];
    return cell.map((run) => ({ ...run, style: withStyle(run.style, SGR.bold) }));
  }

  /** The lines of the header. */
  header(): Run[][] {
    const { header, rows } = this.#table;
    if (this.#widths === undefined) {
      // With rows, each repeats it.
      return rows.length > 0 ? [] : header.flatMap((cell) => linesOf(cell, this.#columns));
    }
    return [...this.#lines(header.map((cell) => this.#bold(cell))), [this.#rule()]];
  }

  /** The lines of one row. */
  row(row: readonly Run[][]): Run[][] {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (this.#widths === undefined) return this.#list(row, isFirst);
    const lines = this.#lines(row);
    return this.#hasWrapped && !isFirst ? [[this.#rule()], ...lines] : lines;
  }

  #rule(): Run {
    return this.#dim(this.#widths!.map((width) => "─".repeat(width)).join("─┼─"));
  }

  #lines(row: readonly Run[][]): Run[][] {
    const widths = this.#widths!;
    const cells = row.map((cell, i) => linesOf(cell, widths[i]));
    const height = Math.max(...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) => {
      const output: Run[] = [];
      cells.forEach((lines, i) => {
        const isLast = i === cells.length - 1;
        if (i > 0) output.push(this.#dim(isLast && lines[line] === undefined ? " │" : SEPARATOR));
        output.push(...this.#padded(lines[line] ?? [], i, isLast));
      });
      return output;
    });
  }

  #padded(line: readonly Run[], column: number, isLast: boolean): Run[] {
    const alignment = this.#table.alignments[column];
    const missing = Math.max(0, this.#widths![column] - widthOfRuns(line));
    const before = alignment === "left" ? 0 : alignment === "right" ? missing : missing >> 1;
    const after = isLast ? 0 : missing - before;
    if (line.length === 0) return [plainRun(" ".repeat(isLast ? 0 : missing))];
    return [plainRun(" ".repeat(before)), ...line, plainRun(" ".repeat(after))];
  }

  /** A row as lines of "header: cell", for terminals that are too narrow for columns. */
  #list(row: readonly Run[][], isFirst: boolean): Run[][] {
    const output: Run[][] = isFirst ? [] : [[this.#dim("─".repeat(Math.min(this.#columns, 10)))]];
    row.forEach((cell, i) => {
      const isNeverFilled = isFirst && this.#table.rows.every((row) => row[i].length === 0);
      if (cell.length === 0 && !isNeverFilled) return;
      const header = this.#table.header[i];
      const label = header.length === 0 ? [] : [...this.#bold(header), plainRun(": ")];
      output.push(...linesOf([...label, ...cell], this.#columns));
    });
    return output;
  }
}
