/**
 * Redraws a few lines at the bottom of a terminal, with all other output above them.
 *
 * The terminal sees one long, wrapped line with the cursor at its start. On a resize, terminals rewrap
 * lines in different ways but keep the cursor on its line, so the area always extends from the cursor to
 * the end of the screen, and no positions have to be calculated. Separate lines would not work: xterm.js
 * (VS Code) inserts the rows that a resize adds above the cursor.
 *
 * @module
 */
import {
  BEGIN_UPDATE,
  cursorUp,
  END_UPDATE,
  ERASE_FROM_ROW,
  ERASE_ROW_END,
  ERASE_SCREEN_END,
  NO_WRAP,
  WRAP,
} from "./sequences.ts";

/** The terminal to draw on. */
export interface TerminalStream {
  /** Width in columns; unknown if absent or 0. */
  readonly columns?: number;
  /** Height in rows; unknown if absent or 0. */
  readonly rows?: number;
  /** Writes text synchronously. */
  write(text: string): unknown;
}

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** Wraps to the next row as a long line does: by a character beyond the last column. */
const BREAK = `${ERASE_ROW_END}\x1b[999C${WRAP}  \r${NO_WRAP}`;

/** The live lines of one terminal. The cursor is never hidden, so a crash cannot leave it hidden. */
export class LiveArea {
  readonly #stream: TerminalStream;
  #lines: readonly string[] = [];
  /** The terminal's size at the last draw. */
  #drawnSize = "";

  constructor(stream: TerminalStream) {
    this.#stream = stream;
  }

  /** The terminal's width in columns. */
  get columns(): number {
    return this.#stream.columns || DEFAULT_COLUMNS;
  }

  get #rows(): number {
    return this.#stream.rows || DEFAULT_ROWS;
  }

  /** The terminal's size, e.g. `80x24`. */
  get size(): string {
    return `${this.columns}x${this.#rows}`;
  }

  /** Replaces the live lines; each must be narrower than the terminal. */
  draw(lines: readonly string[]): void {
    const { size } = this;
    const resized = size !== this.#drawnSize;
    if (!resized && lines.join("\n") === this.#lines.join("\n")) return;
    this.#lines = lines;
    // Without a resize, overwriting is enough; erasing first would flicker.
    this.#write(`${resized ? ERASE_FROM_ROW : "\r"}${this.#frame()}`);
    this.#drawnSize = size;
  }

  /** Writes `text`, of any length, and a newline above the live lines. */
  above(text: string): void {
    if (this.#lines.length === 0) this.#stream.write(`${text}\n`);
    else this.#write(`${ERASE_FROM_ROW}${text}\n${this.#frame()}`);
  }

  /** Removes the live lines. */
  clear(): void {
    if (this.#lines.length === 0) return;
    this.#lines = [];
    this.#drawnSize = "";
    this.#stream.write(ERASE_FROM_ROW);
  }

  /** Uses a single write, so that the process cannot end with a terminal mode set. */
  #write(text: string): void {
    this.#stream.write(`${BEGIN_UPDATE}${text}${END_UPDATE}`);
  }

  /** The live lines, drawn from the cursor, and its return to the start. */
  #frame(): string {
    // Lines beyond the screen's height would scroll out of reach.
    const lines = this.#lines.slice(0, this.#rows);
    const up = cursorUp(lines.length - 1);
    return `${NO_WRAP}${lines.join(BREAK)}${ERASE_SCREEN_END}\r${up}${WRAP}`;
  }
}
