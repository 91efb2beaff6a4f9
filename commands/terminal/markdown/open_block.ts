/**
 * Renders the lines of a code block or of a formula, until it ends.
 *
 * @module
 */
import { closesFence, type LineStart, mayCloseFence, withoutQuotes } from "./block_start.ts";
import type { CodePrinter } from "./code_block.ts";
import type { LineHighlighter } from "./highlight.ts";
import { plainRun, type Run } from "./runs.ts";

/** What a block makes of a line. */
export interface BlockLine {
  runs: Run[];
  /** The source that cannot be rendered yet. */
  rest: string;
  /** Whether a row is shown, even if it is empty. */
  isShown: boolean;
  /** Whether the block ends with this line. */
  isLast: boolean;
}

/** One code block or formula. */
export abstract class OpenBlock {
  /** Whether part of the current line has been rendered. */
  #hasStarted = false;

  /** The line that opens the block. */
  protected readonly start: LineStart;

  constructor(start: LineStart) {
    this.start = start;
  }

  /** Adds a line, or what is known of it. Returns `undefined` if the block ended before it. */
  add(line: string, final: boolean): BlockLine | undefined {
    const held = { runs: [], rest: line, isShown: false, isLast: false };
    let text = line;
    if (!this.#hasStarted) {
      const inner = withoutQuotes(line, this.start.depth);
      if (inner === undefined) return !final && /^[ >]*$/.test(line) ? held : undefined;
      if (!final && this.mayEnd(inner)) return held;
      const last = final ? this.ending(inner) : undefined;
      if (last !== undefined) return last;
      const spaces = /^ */.exec(inner)![0].length;
      text = inner.slice(Math.min(spaces, this.start.indent));
    }
    const runs = this.render(text, final);
    if (runs === undefined) return held;
    this.#hasStarted = !final;
    return { runs, rest: "", isShown: true, isLast: false };
  }

  /** Whether a partial line may end the block. */
  protected abstract mayEnd(text: string): boolean;
  /** What to show of a line that ends the block; `undefined` if it does not end it. */
  protected abstract ending(text: string): BlockLine | undefined;
  /** Renders a line or a part of it; `undefined` if it must be complete first. */
  protected abstract render(text: string, final: boolean): Run[] | undefined;
}

/** A fenced code block. */
export class CodeBlock extends OpenBlock {
  readonly #fence: string;
  readonly #printer: CodePrinter;
  readonly #highlight: LineHighlighter | undefined;

  /** @param highlight colors the lines; without it, lines are shown as they arrive */
  constructor(
    start: LineStart,
    fence: string,
    printer: CodePrinter,
    highlight: LineHighlighter | undefined,
  ) {
    super(start);
    this.#fence = fence;
    this.#printer = printer;
    this.#highlight = highlight;
  }

  protected override mayEnd(text: string): boolean {
    return mayCloseFence(text, this.#fence);
  }

  protected override ending(text: string): BlockLine | undefined {
    if (!closesFence(text, this.#fence)) return undefined;
    return { runs: [], rest: "", isShown: false, isLast: true };
  }

  protected override render(text: string, final: boolean): Run[] | undefined {
    if (this.#highlight === undefined) {
      const runs = this.#printer.write([plainRun(text)]);
      return final ? [...runs, ...this.#printer.endLine()] : runs;
    }
    if (!final) return undefined;
    return [...this.#printer.write(this.#highlight(text)), ...this.#printer.endLine()];
  }
}

/** A formula over several lines. Its LaTeX is shown as it is. */
export class MathBlock extends OpenBlock {
  readonly #end: string;

  /** @param end what closes the formula */
  constructor(start: LineStart, end: string) {
    super(start);
    this.#end = end;
  }

  protected override mayEnd(): boolean {
    return true;
  }

  protected override ending(text: string): BlockLine | undefined {
    // A formula cannot contain blank lines, so this one was never closed.
    if (text.trim() === "") return { runs: [], rest: "", isShown: false, isLast: true };
    if (!text.trimEnd().endsWith(this.#end)) return undefined;
    return { runs: this.render(text), rest: "", isShown: true, isLast: true };
  }

  protected override render(text: string): Run[] {
    return [...this.start.prefix, plainRun(text.trimEnd())];
  }
}
