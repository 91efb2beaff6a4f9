/**
 * Wraps streamed text at word boundaries.
 *
 * Near the end of a line, a word is buffered until it is complete, so that shown text never moves.
 *
 * @module
 */
import stringWidth from "fast-string-truncated-width";

/** Characters of scripts without spaces between words, which can be wrapped at any character. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uff60]/u;

/** Matches an escape sequence, a run of spaces, one wide character, or a run of other characters. */
const TOKENS = new RegExp(
  // deno-lint-ignore no-control-regex
  `${/\x1b\[[0-9;]*m| +/.source}|${WIDE.source}|(?:(?!${WIDE.source})[^ \x1b])+|\x1b`,
  "gu",
);

/** Columns that fit almost any word: if this many are left, words are not buffered. */
const AMPLE = 24;

function widthOf(text: string): number {
  return stringWidth(text).width;
}

/** Wraps one text. */
export class WordWrap {
  readonly #columns: () => number;
  /** Columns used on this line. */
  #column = 0;
  /** The prefix of continuation lines. */
  #prefix = "";
  /** The buffered word, its width, and the number of spaces before it. */
  #word = "";
  #width = 0;
  #spaces = 0;
  /** Whether the start of the word has been shown. */
  #started = false;

  /** `columns` returns the width to wrap to; `Infinity` disables wrapping. */
  constructor(columns: () => number) {
    this.#columns = columns;
  }

  /** Starts a line after `marker`; its continuation lines start with `prefix`. */
  begin(marker: string, prefix: string): void {
    this.#column = widthOf(marker);
    this.#prefix = prefix;
  }

  /** Adds a chunk of the line and returns the text to show. */
  write(chunk: string): string {
    if (this.#columns() === Infinity) return chunk;
    let shown = "";
    for (const [token] of chunk.matchAll(TOKENS)) {
      if (token.startsWith(" ")) {
        shown += this.#flushWord();
        this.#started = false;
        this.#spaces += token.length;
        continue;
      }
      const isWide = WIDE.test(token);
      if (isWide) {
        shown += this.#flushWord();
        this.#started = false;
      }
      const isAmple = this.#word === "" &&
        this.#column + this.#spaces + AMPLE <= this.#columns();
      this.#started ||= isAmple;
      this.#word += token;
      this.#width += widthOf(token);
      // A word longer than a line is wrapped by the terminal: no need to buffer it.
      const isLong = this.#width >= this.#columns();
      if (this.#started || isWide || isLong) shown += this.#flushWord();
    }
    return shown;
  }

  /** Ends the line and returns the buffered text. */
  end(): string {
    const shown = this.#flushWord();
    this.#started = false;
    this.#spaces = this.#column = 0;
    this.#prefix = "";
    return shown;
  }

  /** Returns the buffered word, after a line break if it does not fit on this line. */
  #flushWord(): string {
    if (this.#word === "") return "";
    const columns = this.#columns();
    const taken = this.#column + this.#spaces + this.#width;
    const margin = widthOf(this.#prefix);
    const breaks = !this.#started && this.#width > 0 && taken > columns && this.#column > margin;
    const before = breaks ? `\n${this.#prefix}` : " ".repeat(this.#spaces);
    const shown = before + this.#word;
    this.#column = breaks ? margin + this.#width : taken;
    // The terminal wrapped a word longer than a line.
    if (this.#column > columns) this.#column %= columns;
    this.#word = "";
    this.#width = this.#spaces = 0;
    return shown;
  }
}
