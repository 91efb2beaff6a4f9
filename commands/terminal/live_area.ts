/**
 * A few lines at the bottom of a terminal that are drawn again and again, with all else above them.
 *
 * To the terminal they are one long line that it had to break, and the cursor rests at its beginning.
 * When a terminal is resized it breaks and joins lines in its own way, but the cursor stays with its
 * line: whatever has become of it begins at the cursor and ends with the screen, so nothing has to be
 * reckoned. As lines of their own they would not do: xterm.js (VS Code) takes every row that a resize
 * adds to be above the cursor.
 *
 * @module
 */

/** What is drawn on. */
export interface TerminalStream {
  /** The width; unknown when absent or 0. */
  readonly columns?: number;
  /** The height; unknown when absent or 0. */
  readonly rows?: number;
  /** Writes at once. */
  write(text: string): unknown;
}

/** The width where it is unknown. */
const DEFAULT_COLUMNS = 80;
/** The height where it is unknown. */
const DEFAULT_ROWS = 24;

// Source of the sequences: ECMA-48; "ctlseqs" of xterm; mode 2026: the "Synchronized Output" spec.
/** Shows nothing of what follows until {@link SHOW}; terminals that do not know it pass it over. */
const HOLD = "\x1b[?2026h";
const SHOW = "\x1b[?2026l";
/** What is longer than the line is cut: the terminal may be narrower by now than we know. */
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";
const ERASE_LINE_END = "\x1b[K";
const ERASE_SCREEN_END = "\x1b[J";
/**
 * Erases from the line of the cursor on. Not from its first column to the end of the screen in one:
 * at the top of the screen tmux takes that for clearing it, and keeps what was there as history.
 */
const ERASE = `\r ${ERASE_SCREEN_END}\x1b[2K\r`;

/** Goes to the next row as a line does that is too long: by a character beyond its end. */
const BREAK = `${ERASE_LINE_END}\x1b[999C${WRAP}  \r${NO_WRAP}`;

/** The redrawn lines of one terminal. The cursor is never hidden, so it need not be brought back. */
export class LiveArea {
  readonly #stream: TerminalStream;
  #lines: readonly string[] = [];
  /** The size of the terminal when it was last drawn on. */
  #drawnSize = "";

  constructor(stream: TerminalStream) {
    this.#stream = stream;
  }

  /** The width of the terminal. */
  get columns(): number {
    return this.#stream.columns || DEFAULT_COLUMNS;
  }

  get #rows(): number {
    return this.#stream.rows || DEFAULT_ROWS;
  }

  /** The width and height of the terminal, e.g. `80x24`. */
  get size(): string {
    return `${this.columns}x${this.#rows}`;
  }

  /** Shows `lines` instead of those before; each must be narrower than the terminal. */
  draw(lines: readonly string[]): void {
    const { size } = this;
    const resized = size !== this.#drawnSize;
    if (!resized && lines.join("\n") === this.#lines.join("\n")) return;
    this.#lines = lines;
    // Lines of the same size are written over: erasing first would make them flicker.
    this.#write(`${resized ? ERASE : "\r"}${this.#frame()}`);
    this.#drawnSize = size;
  }

  /** Writes `text` and the end of a line above the lines. It may be of any length. */
  above(text: string): void {
    if (this.#lines.length === 0) this.#stream.write(`${text}\n`);
    else this.#write(`${ERASE}${text}\n${this.#frame()}`);
  }

  /** Takes the lines off the screen. */
  clear(): void {
    if (this.#lines.length === 0) return;
    this.#lines = [];
    this.#drawnSize = "";
    this.#stream.write(ERASE);
  }

  /** All in one write, so that nobody sees half of it and an end in between leaves nothing set. */
  #write(text: string): void {
    this.#stream.write(`${HOLD}${text}${SHOW}`);
  }

  /** Draws from the cursor, and brings it back there. */
  #frame(): string {
    // More lines than the screen has would scroll away, out of reach.
    const lines = this.#lines.slice(0, this.#rows);
    const up = lines.length > 1 ? `\x1b[${lines.length - 1}A` : "";
    return `${NO_WRAP}${lines.join(BREAK)}${ERASE_SCREEN_END}\r${up}${WRAP}`;
  }
}
