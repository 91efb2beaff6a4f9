/**
 * Buffers the lines of a table until its columns can be laid out.
 *
 * @module
 */
import type { LineStart } from "./block_start.ts";
import type { InlineMarkdown } from "./inline_markdown.ts";
import { plainRun, type Run, widthOfRuns } from "./runs.ts";
import { type Alignment, TableLayout } from "./table_layout.ts";
import { alignmentsOf, cellsOf, columnCount, isRow, mayBeDelimiter } from "./table_source.ts";

/** After this many rows, the columns are fixed, and further rows are shown as they arrive. */
const MAX_ROWS = 200;

/** One table, or a line that may be its header. */
export class TableBuffer {
  readonly #inline: InlineMarkdown;
  readonly #start: LineStart;
  readonly #columns: () => number;
  #alignments: Alignment[] | undefined;
  #header: Run[][] = [];
  #rows: Run[][][] = [];
  #layout: TableLayout | undefined;
  /** What each line of the table starts with. */
  #prefix: Run[];

  /**
   * @param start the line that may be the header
   * @param columns returns the width of the terminal
   */
  constructor(inline: InlineMarkdown, start: LineStart, columns: () => number) {
    this.#inline = inline;
    this.#start = start;
    this.#columns = columns;
    this.#prefix = [...start.marker, plainRun(" ".repeat(start.indent))];
  }

  /** The start of the first line. */
  get start(): LineStart {
    return this.#start;
  }

  /** Whether the row below the header has arrived, so that this is a table. */
  get isTable(): boolean {
    return this.#alignments !== undefined;
  }

  /** The number of buffered rows, with the header. */
  get rows(): number {
    return this.#layout === undefined ? this.#rows.length + 1 : 0;
  }

  /** Whether a partial line may belong to the table. */
  mayContain({ text, depth }: LineStart): boolean {
    if (depth !== this.#start.depth) return text === "" && depth < this.#start.depth;
    return this.isTable ? text.trim() === "" || isRow(text) : mayBeDelimiter(text);
  }

  /** Adds a line. Returns the lines to show, or `undefined` if it does not belong to the table. */
  add({ text, depth, isItem }: LineStart): Run[][] | undefined {
    if (depth !== this.#start.depth || isItem) return undefined;
    if (this.#alignments === undefined) {
      const alignments = alignmentsOf(text);
      if (alignments === undefined) return undefined;
      const count = columnCount(this.#start.text, alignments.length);
      this.#alignments = Array.from({ length: count }, (_, i) => alignments[i] ?? "left");
      this.#header = this.#cells(this.#start.text);
      return [];
    }
    if (!isRow(text)) return undefined;
    const cells = this.#cells(text);
    if (this.#layout !== undefined) return this.#lines(this.#layout.row(cells));
    this.#rows.push(cells);
    return this.#rows.length === MAX_ROWS ? this.finish() : [];
  }

  /** The lines of the table that have not been shown yet. */
  finish(): Run[][] {
    if (this.#layout !== undefined) return [];
    const table = { header: this.#header, alignments: this.#alignments!, rows: this.#rows };
    const columns = this.#columns() - widthOfRuns(this.#prefix);
    const layout = this.#layout = new TableLayout(table, columns, this.#inline.features.styles);
    const rows = this.#rows.flatMap((row) => layout.row(row));
    this.#rows = [];
    return this.#lines([...layout.header(), ...rows]);
  }

  #cells(row: string): Run[][] {
    const count = this.#alignments!.length;
    const sources = cellsOf(row, count);
    return Array.from({ length: count }, (_, i) => this.#inline.render(sources[i] ?? ""));
  }

  #lines(lines: readonly Run[][]): Run[][] {
    return lines.map((line) => {
      const prefix = this.#prefix;
      // The marker of a list item appears once.
      this.#prefix = [...this.#start.prefix, plainRun(" ".repeat(this.#start.indent))];
      return [...prefix, ...line];
    });
  }
}
