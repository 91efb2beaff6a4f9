/**
 * Wraps streamed text at word boundaries.
 *
 * Near the end of a line, a word is buffered until it is complete, so that shown text never moves.
 *
 * @module
 */
import { canBreakBetween, graphemes, wordParts } from "./graphemes.ts";
import { plainRun, type Run, widthOfRuns } from "./runs.ts";
import { widthOf } from "../width.ts";

/** Columns that fit almost any word: if this many are left, words are not buffered. */
const AMPLE = 40;

/** Wraps one text. */
export class WordWrap {
  readonly #columns: () => number;
  readonly #breakWords: boolean;
  /** Columns used on this line. */
  #column = 0;
  /** The prefix of continuation lines, and its width. */
  #prefix: readonly Run[] = [];
  #margin = 0;
  /** The spaces before the buffered word. */
  #spaces: Run[] = [];
  #spacesWidth = 0;
  /** The buffered word and its width. */
  #word: Run[] = [];
  #width = 0;
  /** The last part of the current word; empty at the start of a word. */
  #last = "";
  /** Whether the start of the word has been shown. */
  #started = false;
  #output: Run[] = [];

  /**
   * @param columns returns the width to wrap to; `Infinity` disables wrapping
   * @param breakWords break words that are longer than a line; the terminal wraps them otherwise, so that
   * copying a URL from the screen yields one line
   */
  constructor(columns: () => number, breakWords = false) {
    this.#columns = columns;
    this.#breakWords = breakWords;
  }

  /** Starts a line after `marker`; its continuation lines start with `prefix`. */
  begin(marker: readonly Run[], prefix: readonly Run[]): void {
    this.#column = widthOfRuns(marker);
    this.#prefix = prefix;
    this.#margin = widthOfRuns(prefix);
  }

  /** Columns used on the current line. */
  get column(): number {
    return this.#column;
  }

  /** Adds a part of the line and returns what to show. A newline starts a continuation line. */
  write(runs: readonly Run[]): Run[] {
    for (const run of runs) {
      for (const part of wordParts(run.text)) this.#add({ ...run, text: part });
    }
    return this.#take();
  }

  /** Ends the line and returns the buffered text. */
  end(): Run[] {
    this.#flushWord();
    this.#spaces = [];
    this.#spacesWidth = this.#column = this.#margin = 0;
    this.#prefix = [];
    return this.#take();
  }

  #take(): Run[] {
    const output = this.#output;
    this.#output = [];
    return output;
  }

  #add(part: Run): void {
    const { text } = part;
    if (text === "\n") {
      this.#flushWord();
      this.#break();
      return;
    }
    if (text.startsWith(" ")) {
      this.#flushWord();
      this.#spaces.push(part);
      this.#spacesWidth += text.length;
      return;
    }
    if (this.#last !== "" && canBreakBetween(this.#last, text)) this.#flushWord();
    const columns = this.#columns();
    if (this.#last === "") {
      this.#started = !part.isWhole && this.#column + this.#spacesWidth + AMPLE <= columns;
    }
    this.#last = text;
    this.#word.push(part);
    this.#width += widthOf(text);
    // A longer word is wrapped by the terminal: no need to buffer it.
    const isLong = this.#width >= columns;
    if (!this.#breakWords && (this.#started || isLong)) {
      this.#showWord();
      this.#started = true;
    }
  }

  #flushWord(): void {
    this.#showWord();
    this.#last = "";
    this.#started = false;
  }

  #break(): void {
    this.#output.push(plainRun("\n"), ...this.#prefix);
    this.#column = this.#margin;
    this.#spaces = [];
    this.#spacesWidth = 0;
  }

  /** Shows the buffered word, after a line break if it does not fit on this line. */
  #showWord(): void {
    if (this.#word.length === 0) return;
    const columns = this.#columns();
    const end = this.#column + this.#spacesWidth + this.#width;
    const isStarted = this.#started && !this.#breakWords;
    if (!isStarted && this.#width > 0 && end > columns && this.#column > this.#margin) {
      this.#break();
    }
    // There may be more than a call can have arguments.
    for (const run of this.#spaces) this.#output.push(run);
    this.#column += this.#spacesWidth;
    if (this.#breakWords && this.#column + this.#width > columns) this.#showInPieces(columns);
    else {
      for (const run of this.#word) this.#output.push(run);
      this.#column += this.#width;
    }
    // The terminal wrapped a word longer than a line.
    if (this.#column > columns) this.#column = (this.#column - 1) % columns + 1;
    this.#word = [];
    this.#spaces = [];
    this.#width = this.#spacesWidth = 0;
  }

  #showInPieces(columns: number): void {
    for (const run of this.#word) {
      for (const text of graphemes(run.text)) {
        const width = widthOf(text);
        if (this.#column + width > columns && this.#column > this.#margin) this.#break();
        this.#output.push({ ...run, text });
        this.#column += width;
      }
    }
  }
}
