/**
 * Prints the lines of a code block, indented. Long lines are wrapped with a mark, so that no line is
 * mistaken for two.
 *
 * @module
 */
import { graphemes } from "./graphemes.ts";
import { plainRun, type Run, SGR, widthOfRuns } from "./runs.ts";
import { widthOf } from "../width.ts";

const INDENT = "  ";
/** Starts the rest of a wrapped line, in the place of {@link INDENT}. */
const WRAPPED = "↪ ";
/** Where a tab moves to. */
const TAB_STOP = 4;
/** Even on a narrower terminal, a row has this many columns. */
const MIN_COLUMNS = 4;

/** Text of which each character is a grapheme, which is most code. */
const ASCII = /^[\t -~]*$/;

/** Prints one code block. */
export class CodePrinter {
  readonly #prefix: readonly Run[];
  readonly #columns: () => number;
  readonly #style: string;
  #column = 0;
  #hasStarted = false;

  /**
   * @param prefix what to print before each row, e.g. the bars of a quote
   * @param columns returns the width to wrap to
   * @param styles whether the mark of a wrapped line can be dimmed
   */
  constructor(prefix: readonly Run[], columns: () => number, styles: boolean) {
    this.#prefix = prefix;
    this.#columns = columns;
    this.#style = styles ? SGR.dim : "";
  }

  /** Adds a part of a line and returns what to print. */
  write(runs: readonly Run[]): Run[] {
    const output: Run[] = [];
    const available = Math.max(
      MIN_COLUMNS,
      this.#columns() - widthOfRuns(this.#prefix) - INDENT.length,
    );
    for (const { text, style } of runs) {
      let pending = "";
      for (const part of ASCII.test(text) ? text : graphemes(text)) {
        const character = part === "\t" ? " ".repeat(TAB_STOP - this.#column % TAB_STOP) : part;
        const width = part.length === 1 && part < "\x7f" ? character.length : widthOf(character);
        if (!this.#hasStarted) output.push(...this.#prefix, plainRun(INDENT));
        else if (this.#column + width > available && this.#column > 0) {
          output.push({ text: pending, style }, plainRun("\n"), ...this.#prefix);
          output.push({ text: WRAPPED, style: this.#style });
          pending = "";
          this.#column = 0;
        }
        this.#hasStarted = true;
        pending += character;
        this.#column += width;
      }
      output.push({ text: pending, style });
    }
    return output;
  }

  /** Ends a line and returns what to print of an empty one. */
  endLine(): Run[] {
    const output = this.#hasStarted ? [] : [...this.#prefix];
    this.#column = 0;
    this.#hasStarted = false;
    return output;
  }
}
