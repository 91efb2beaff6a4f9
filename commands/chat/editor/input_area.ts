/**
 * Draws the line that is being edited at the bottom of a terminal, over as many rows as it needs.
 *
 * @module
 */
import type { TerminalStream } from "../../terminal/live_area.ts";
import {
  BEGIN_UPDATE,
  cursorUp,
  END_UPDATE,
  ERASE_FROM_ROW,
  ERASE_ROW_END,
  ERASE_SCREEN_END,
  NO_WRAP,
  WRAP,
} from "../../terminal/sequences.ts";
import { widthOf } from "../../terminal/width.ts";
import { type InputLayout, layOut } from "./input_layout.ts";

/** How a terminal that becomes narrower rewraps its rows. */
export type Reflow =
  /** All rows. */
  | "all"
  /**
   * As xterm.js: all but the row with the cursor, from the bottom up. The cursor moves down by each row that
   * this adds, also below it, and so protects another row than its own.
   */
  | "xterm.js"
  /** It truncates them. */
  | "none";

/** How the terminal that `env` describes rewraps. */
export function reflowOf(env: Readonly<Record<string, string | undefined>>): Reflow {
  if (env.TMUX) return "all";
  if (env.TERM_PROGRAM === "vscode") return "xterm.js";
  // GNU Screen, xterm and the console of Linux.
  return env.STY || env.XTERM_VERSION || env.TERM === "linux" ? "none" : "all";
}

const CLEAR_SCREEN = "\x1b[H\x1b[2J";

/** A prompt and the line after it. */
export interface Input {
  /** May contain styles. */
  prompt: string;
  line: string;
  /** Index in `line`. */
  cursor: number;
}

/** The input on one terminal. The real cursor is at the edited position. */
export class InputArea {
  readonly #stream: TerminalStream;
  readonly #reflow: Reflow;
  #input: Input | undefined;
  /** The rows on the screen. */
  #drawn: InputLayout | undefined;
  /** The first row shown of an input that is taller than the screen. */
  #top = 0;
  #frame = "";

  constructor(stream: TerminalStream, reflow: Reflow) {
    this.#stream = stream;
    this.#reflow = reflow;
  }

  get #columns(): number {
    return this.#stream.columns || 80;
  }

  /** Draws `input` in place of the one before. */
  draw(input: Input): void {
    this.#input = input;
    this.#update("");
  }

  /** Writes `text` and a newline above the input. */
  above(text: string): void {
    const { erasure } = this;
    this.#drawn = undefined;
    this.#update(`${erasure}${text}\n`);
  }

  /** Redraws the input after the terminal has changed its size. */
  resized(): void {
    const { erasure } = this;
    this.#drawn = undefined;
    this.#update(erasure);
  }

  /** Clears the screen and draws the input at its top. */
  clearScreen(): void {
    this.#drawn = undefined;
    this.#update(CLEAR_SCREEN);
  }

  /** Removes the input from the screen. */
  erase(): void {
    this.#stream.write(this.erasure);
    this.#drawn = undefined;
  }

  /** Leaves `input` on the screen, wrapped by the terminal so that it can be copied, and starts a new row. */
  finish({ prompt, line }: Input): void {
    const { rows } = layOut(prompt, line, line.length, Infinity);
    this.#stream.write(`${this.erasure}${rows.join("")}\n`);
    this.#drawn = undefined;
    this.#input = undefined;
    this.#top = 0;
  }

  /** The sequence that erases the drawn rows. */
  get erasure(): string {
    return this.#drawn === undefined
      ? ""
      : `${cursorUp(this.#rowsAbove(this.#drawn))}${ERASE_FROM_ROW}`;
  }

  /** How many rows of the screen the drawn rows occupy above the cursor, at the current width. */
  #rowsAbove({ widths, cursor: { row, column } }: InputLayout): number {
    if (this.#reflow === "none") return row;
    const columns = this.#columns;
    const height = (width: number) => Math.max(1, Math.ceil(width / columns));
    if (this.#reflow === "xterm.js") {
      return widths.reduceRight((at, width, i) => i === at ? at : at + height(width) - 1, row);
    }
    const above = widths.slice(0, row).reduce((sum, width) => sum + height(width), 0);
    // A cursor behind the last character stays in that character's row.
    const position = column < widths[row] ? column : Math.max(0, column - 1);
    return above + Math.floor(position / columns);
  }

  /** Draws the input after writing `start`, in a single write. */
  #update(start: string): void {
    if (this.#input === undefined) return;
    const { prompt, line, cursor } = this.#input;
    const layout = this.#visible(layOut(prompt, line, cursor, this.#columns));
    const { rows, cursor: { row, column } } = layout;
    const right = column > 0 ? `\x1b[${column}C` : "";
    const frame = `${rows.join(`${ERASE_ROW_END}\r\n`)}${ERASE_SCREEN_END}` +
      `${cursorUp(rows.length - 1 - row)}\r${right}`;
    if (start === "" && this.#drawn !== undefined && frame === this.#frame) return;
    const back = this.#drawn === undefined ? "" : `\r${cursorUp(this.#drawn.cursor.row)}`;
    this.#stream.write(`${BEGIN_UPDATE}${start}${back}${NO_WRAP}${frame}${WRAP}${END_UPDATE}`);
    this.#frame = frame;
    this.#drawn = layout;
  }

  /** The rows that fit on the screen, with that of the cursor among them. */
  #visible({ rows, widths, cursor }: InputLayout): InputLayout {
    const height = Math.max(1, this.#stream.rows || 24);
    const last = Math.max(0, rows.length - height);
    this.#top = Math.min(this.#top, last, cursor.row);
    this.#top = Math.max(this.#top, cursor.row - height + 1);
    const end = this.#top + height;
    return {
      rows: rows.slice(this.#top, end),
      widths: widths.slice(this.#top, end),
      cursor: { row: cursor.row - this.#top, column: cursor.column },
    };
  }
}

/** Arranges `items` in as many columns as fit in `columns`, filled row by row. */
export function inColumns(items: readonly string[], columns: number): string {
  const width = Math.max(...items.map(widthOf)) + 2;
  const perRow = Math.max(1, Math.floor(columns / width));
  const rows: string[] = [];
  for (let i = 0; i < items.length; i += perRow) {
    const row = items.slice(i, i + perRow);
    rows.push(row.map((item) => item + " ".repeat(width - widthOf(item))).join("").trimEnd());
  }
  return rows.join("\n");
}
