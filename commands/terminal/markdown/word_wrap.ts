/**
 * Breaks lines between words, as they arrive, where the terminal would break them within one. Near the end
 * of a line a word is held back until it has ended, so nothing that has been shown moves.
 *
 * @module
 */
import stringWidth from "fast-string-truncated-width";

/** Characters between which a line may be broken: those of languages that put no blanks between words. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uff60]/u;

/** A style of the terminal, blanks, one wide character, or the others up to the next of these. */
const PARTS = new RegExp(
  // deno-lint-ignore no-control-regex
  `${/\x1b\[[0-9;]*m| +/.source}|${WIDE.source}|(?:(?!${WIDE.source})[^ \x1b])+|\x1b`,
  "gu",
);

/** Columns in which nearly every word has room: where so many are left, it is shown as it comes. */
const ROOMY = 24;

function widthOf(text: string): number {
  return stringWidth(text).width;
}

/** Breaks the lines of one text. */
export class WordWrap {
  readonly #columns: () => number;
  /** Columns of this line that are taken. */
  #column = 0;
  /** What begins each line that this one is broken into. */
  #prefix = "";
  /** The word that has not ended, with the blanks before it. */
  #word = "";
  #width = 0;
  #blanks = 0;
  /** Whether the beginning of the word has been shown. */
  #begun = false;

  /** `columns` gives the width of the terminal, `Infinity` for not breaking anything. */
  constructor(columns: () => number) {
    this.#columns = columns;
  }

  /** Begins a line behind its `marker`; those that it is broken into begin with `prefix`. */
  begin(marker: string, prefix: string): void {
    this.#column = widthOf(marker);
    this.#prefix = prefix;
  }

  /** Takes in a piece of the line and gives what can be shown. */
  write(piece: string): string {
    if (this.#columns() === Infinity) return piece;
    let shown = "";
    for (const [part] of piece.matchAll(PARTS)) {
      if (part.startsWith(" ")) {
        shown += this.#place();
        this.#begun = false;
        this.#blanks += part.length;
        continue;
      }
      const isWide = WIDE.test(part);
      if (isWide) {
        shown += this.#place();
        this.#begun = false;
      }
      const isRoomy = this.#word === "" &&
        this.#column + this.#blanks + ROOMY <= this.#columns();
      this.#begun ||= isRoomy;
      this.#word += part;
      this.#width += widthOf(part);
      // One that no line has room for need not wait.
      const isLong = this.#width >= this.#columns();
      if (this.#begun || isWide || isLong) shown += this.#place();
    }
    return shown;
  }

  /** Ends the line and gives what was held back of it. */
  end(): string {
    const shown = this.#place();
    this.#begun = false;
    this.#blanks = this.#column = 0;
    this.#prefix = "";
    return shown;
  }

  /** Gives the word, on the next line when this one has no room for it. */
  #place(): string {
    if (this.#word === "") return "";
    const columns = this.#columns();
    const taken = this.#column + this.#blanks + this.#width;
    const margin = widthOf(this.#prefix);
    const breaks = !this.#begun && this.#width > 0 && taken > columns && this.#column > margin;
    const before = breaks ? `\n${this.#prefix}` : " ".repeat(this.#blanks);
    const shown = before + this.#word;
    this.#column = breaks ? margin + this.#width : taken;
    // The terminal has broken what is longer than a line.
    if (this.#column > columns) this.#column %= columns;
    this.#word = "";
    this.#width = this.#blanks = 0;
    return shown;
  }
}
