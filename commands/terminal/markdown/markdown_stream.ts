/**
 * Renders streamed Markdown for the terminal.
 *
 * Output is never redrawn, so nothing flickers: text is shown as soon as what follows cannot change it, a
 * line of highlighted code when it is complete, and a table when it ends.
 *
 * @module
 */
import { isUndecided, kindOf, type LineKind, type LineStart, lineStart } from "./block_start.ts";
import { CodePrinter } from "./code_block.ts";
import { incompleteLength } from "./graphemes.ts";
import { InlineMarkdown, type TextFeatures } from "./inline_markdown.ts";
import { CodeBlock, MathBlock, type OpenBlock } from "./open_block.ts";
import { paint, plainRun, type Run, SGR, widthOfRuns, withStyle } from "./runs.ts";
import { TableBuffer } from "./table_buffer.ts";
import { WordWrap } from "./word_wrap.ts";

/** How Markdown is rendered. */
export interface MarkdownOptions {
  /** Returns the width to wrap to; by default, lines are not wrapped. */
  columns?: () => number;
  /** @default { styles: true, links: false } */
  features?: TextFeatures;
  /** The SGR parameters of all text, e.g. `2` for dimmed. */
  style?: string;
}

/** The last kind of line shown. */
type Shown = "nothing" | "text" | "item" | "heading" | "block";

const MAX_RULE = 40;
/** What a tab within text becomes, since its width would depend on the column. */
const TAB = "    ";

function headingStyle(level: number): string {
  const styles = [
    SGR.bold,
    ...level <= 3 ? [SGR.magenta] : [],
    ...level === 1 ? [SGR.underline] : [],
  ];
  return styles.join(";");
}

/** Most lines that cannot be rendered yet are shorter; a model may repeat spaces endlessly. */
const LONG = 1000;

/** Renders one answer. */
export class MarkdownStream {
  readonly #columns: () => number;
  readonly #styles: boolean;
  readonly #base: string;
  readonly #inline: InlineMarkdown;
  readonly #wrap: WordWrap;
  #output: Run[] = [];
  /** The end of the last chunk, which may be half a character. */
  #held = "";
  /** The part of this line that is not rendered yet. */
  #buffered = "";
  /** The length from which on it is looked at again: a long one not with every chunk. */
  #nextLength = 0;
  /** Whether part of this line's text has been rendered. */
  #hasStarted = false;
  /** Whether this line is shown, and so ends with a newline. */
  #isShown = false;
  /** The last character rendered, to detect word boundaries. */
  #before = "";
  #block: OpenBlock | undefined;
  #table: TableBuffer | undefined;
  #previous: Shown = "nothing";
  /** The number of quotes around the last line. */
  #depth = 0;
  /** The number of quotes around the blank lines since then; `undefined` without blank lines. */
  #gap: number | undefined;
  /** The indentation of text in the current list item; 0 outside of lists. */
  #itemIndent = 0;
  /** The width of the last line of text, for the line below a heading. */
  #width = 0;

  constructor({ columns = () => Infinity, features, style = "" }: MarkdownOptions = {}) {
    this.#columns = columns;
    this.#inline = new InlineMarkdown(features ?? { styles: true, links: false });
    this.#styles = this.#inline.features.styles;
    this.#base = this.#styles ? style : "";
    this.#wrap = new WordWrap(columns);
  }

  /** The number of rows of a table that is buffered until it ends. */
  get bufferedRows(): number {
    return this.#table?.rows ?? 0;
  }

  /** Adds a chunk and returns the text to show. Waits only to load the syntax of a language. */
  async write(chunk: string): Promise<string> {
    const text = this.#held + chunk;
    const end = text.length - incompleteLength(text);
    this.#held = text.slice(end);
    const lines = (this.#buffered + text.slice(0, end)).split("\n");
    const last = lines.pop()!;
    for (const line of lines) {
      await this.#add(line, true);
      this.#endLine();
      this.#nextLength = 0;
    }
    if (last === "" || last.length >= this.#nextLength) {
      this.#buffered = last === "" ? "" : await this.#add(last, false);
      this.#nextLength = this.#buffered.length < LONG ? 0 : this.#buffered.length * 1.2;
    } else this.#buffered = last;
    return this.#take();
  }

  /** Ends the answer and returns the remaining text to show. */
  async end(): Promise<string> {
    const line = this.#buffered + this.#held;
    this.#buffered = this.#held = "";
    if (line !== "") await this.#add(line, true);
    this.#show(this.#wrap.end());
    this.#endTable();
    return this.#take();
  }

  /** Adds runs to the output. There may be more than a call can have arguments. */
  #show(runs: Iterable<Run>): void {
    for (const run of runs) this.#output.push(run);
  }

  #take(): string {
    const output = this.#output;
    this.#output = [];
    if (this.#base === "") return paint(output);
    return paint(
      output.map((run) =>
        run.text.trim() === "" ? run : { ...run, style: withStyle(this.#base, run.style) }
      ),
    );
  }

  #endLine(): void {
    this.#show(this.#wrap.end());
    if (this.#isShown) this.#output.push(plainRun("\n"));
    this.#isShown = this.#hasStarted = false;
  }

  /** Adds a line, or what is known of it. Returns the part that cannot be rendered yet. */
  async #add(line: string, final: boolean): Promise<string> {
    if (this.#hasStarted) return this.#addText(line, final);
    const rest = this.#addToBlock(line, final);
    if (rest !== undefined) return rest;
    const start = lineStart(line, this.#styles);
    if (this.#table !== undefined) {
      if (!final && this.#table.mayContain(start)) return line;
      const rows = final ? this.#table.add(start) : undefined;
      if (rows !== undefined) {
        this.#showRows(rows);
        return "";
      }
      this.#endTable();
    }
    const isCode = this.#isIndentedCode(start);
    if (!final && (isUndecided(start) || isCode || /^ *\|/.test(start.text))) return line;
    const kind = kindOf(start);
    if (isCode && kind.type === "text") {
      this.#showIndentedCode(start);
      return "";
    }
    await this.#startLine(start, kind);
    return kind.type === "text" ? this.#addText(start.text.slice(start.indent), final) : "";
  }

  /** Adds a line to the open code block or formula; `undefined` if there is none. */
  #addToBlock(line: string, final: boolean): string | undefined {
    const added = this.#block?.add(line, final);
    if (added === undefined) {
      this.#block = undefined;
      return undefined;
    }
    this.#show(added.runs);
    this.#isShown ||= added.isShown;
    if (added.isLast) this.#block = undefined;
    return added.rest;
  }

  async #startLine(start: LineStart, kind: LineKind): Promise<void> {
    switch (kind.type) {
      case "blank":
        if (start.isItem) this.#startText(start);
        else this.#gap = Math.min(this.#gap ?? Infinity, start.depth);
        return;
      case "row":
        this.#table = new TableBuffer(this.#inline, start, this.#columns);
        return;
      case "fence":
        return await this.#openCode(start, kind.marker, kind.language);
      case "math":
        this.#separate(start, "block");
        this.#output.push(...start.marker, plainRun(start.text.trimEnd()));
        this.#isShown = true;
        this.#block = new MathBlock(start, kind.end);
        return;
      case "underline":
        if (this.#previous === "text" && this.#gap === undefined) {
          this.#showRule(start, kind.character === "=" ? "═" : "─", this.#width);
          this.#previous = "heading";
        } else if (kind.isRule) await this.#startLine(start, { type: "rule" });
        else {
          this.#startText(start);
          this.#addText(start.text.slice(start.indent), true);
        }
        return;
      case "rule":
        this.#separate(start, "heading");
        this.#showRule(start, "─", MAX_RULE);
        return;
      case "heading":
        return this.#showHeading(start, kind.level, kind.text);
      case "text":
        return this.#startText(start);
    }
  }

  /** Prints a blank line if one separates the next line from the last. */
  #separate({ depth }: LineStart, next: Shown): void {
    const isBlock = next === "block" || this.#previous === "block";
    const isSeparate = this.#gap !== undefined || isBlock || next === "heading";
    if (this.#previous !== "nothing" && isSeparate) {
      const quotes = Math.min(this.#gap ?? depth, depth, this.#depth);
      const bars = "│ ".repeat(quotes).trimEnd();
      this.#output.push({ text: bars, style: this.#styles ? SGR.dim : "" }, plainRun("\n"));
    }
    this.#gap = undefined;
    this.#previous = next;
    this.#depth = depth;
  }

  async #openCode(start: LineStart, fence: string, language: string): Promise<void> {
    this.#separate(start, "block");
    // The marker of a list item has its own line.
    if (start.isItem) this.#output.push(...start.marker, plainRun("\n"));
    const highlight = this.#styles && language !== ""
      ? await (await import("./highlight.ts")).loadHighlighter(language)
      : undefined;
    const prefix = [...start.prefix, plainRun(" ".repeat(start.indent))];
    const indent = start.indent + (start.isItem ? widthOfRuns(start.marker) : 0);
    const printer = new CodePrinter(prefix, this.#columns, this.#styles);
    this.#block = new CodeBlock({ ...start, indent }, fence, printer, highlight);
  }

  #isIndentedCode({ indent, isItem }: LineStart): boolean {
    const canStart = this.#gap !== undefined || this.#previous !== "text";
    return indent >= 4 && !isItem && this.#itemIndent === 0 && canStart;
  }

  #showIndentedCode(start: LineStart): void {
    // A following line of the same code is not separated.
    const isFirst = this.#previous !== "block" || this.#gap !== undefined;
    if (isFirst) this.#separate(start, "block");
    const printer = new CodePrinter(start.marker, this.#columns, this.#styles);
    this.#show(printer.write([plainRun(start.text.slice(4))]));
    this.#isShown = true;
  }

  #showHeading(start: LineStart, level: number, text: string): void {
    this.#separate(start, "heading");
    this.#itemIndent = start.isItem ? widthOfRuns(start.marker) : 0;
    const marker = [...start.marker, plainRun(this.#styles ? "" : `${"#".repeat(level)} `)];
    this.#output.push(...marker);
    this.#wrap.begin(marker, start.prefix);
    const style = this.#styles ? headingStyle(level) : "";
    this.#show(this.#wrap.write(this.#inline.render(text, style)));
    this.#isShown = true;
  }

  #showRule({ marker }: LineStart, character: string, width: number): void {
    const columns = Math.min(width, Math.max(3, this.#columns() - widthOfRuns(marker)));
    const style = this.#styles ? SGR.dim : "";
    this.#output.push(...marker, { text: character.repeat(columns), style });
    this.#isShown = true;
  }

  #startText(start: LineStart): void {
    const { marker, prefix, isItem, depth, indent } = start;
    const continues = this.#previous === "item" && this.#gap === undefined && !isItem &&
      depth === this.#depth;
    this.#separate(start, isItem || continues ? "item" : "text");
    if (isItem) this.#itemIndent = widthOfRuns(marker);
    else if (indent === 0 && !continues) this.#itemIndent = 0;
    const least = continues && indent === 0 ? this.#itemIndent : indent;
    const spaces = plainRun(" ".repeat(isItem || this.#itemIndent === 0 ? 0 : least));
    this.#output.push(...marker, spaces);
    this.#wrap.begin([...marker, spaces], [...prefix, spaces]);
    this.#before = "";
    this.#width = 0;
    this.#isShown = this.#hasStarted = true;
  }

  #addText(text: string, final: boolean): string {
    const source = text.replaceAll("\t", TAB);
    const { runs, rest } = this.#inline.take(source, final, this.#before, "");
    this.#before = source.slice(0, source.length - rest.length).at(-1) ?? this.#before;
    this.#width += widthOfRuns(runs);
    this.#show(this.#wrap.write(runs));
    return rest;
  }

  #showRows(rows: readonly Run[][]): void {
    if (rows.length > 0) this.#separate(this.#table!.start, "block");
    for (const row of rows) this.#show([...row, plainRun("\n")]);
  }

  /** Shows the buffered table, or the line that looked like its header. */
  #endTable(): void {
    const table = this.#table;
    if (table === undefined) return;
    if (table.isTable) this.#showRows(table.finish());
    else {
      this.#startText(table.start);
      this.#addText(table.start.text.slice(table.start.indent), true);
      this.#endLine();
    }
    this.#table = undefined;
  }
}
