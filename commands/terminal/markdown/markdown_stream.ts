/**
 * Renders streamed Markdown for the terminal.
 *
 * Output is never redrawn, so nothing flickers: a marker is buffered until its meaning is known.
 *
 * @module
 */
import { styled, takeInline } from "./inline_markdown.ts";
import { WordWrap } from "./word_wrap.ts";

/** Matches the start of a line whose block type is still ambiguous. */
const UNDECIDED =
  /^\s*(#{0,6}|[-*+]( +\[?[ xX]?\]?)?|\d{1,9}[.)]?|(> ?)+|[-*_][-*_ ]*|`{1,2}|~{1,2}|(```|~~~).*)$/;

const RULE = /^ {0,3}([-*_])( *\1){2,} *$/;

/** The prefix of continuation lines: the bars of a quote, or the indentation of a list item. */
function continuationPrefix(line: string, marker: string): string {
  if (/^ {0,3}>/.test(line)) return marker;
  const item = /^\s*([-*+]|\d{1,9}[.)]) +/.exec(line);
  return item === null ? "" : " ".repeat(marker.length > 0 ? marker.length : item[0].length);
}

type LineStyle = (text: string) => string;

const plain: LineStyle = (text) => text;

/** Renders one answer. */
export class MarkdownStream {
  /** The part of this line that is not rendered yet. */
  #buffered = "";
  /** Whether part of this line has been rendered. */
  #started = false;
  /** The marker that ends the current code block. */
  #fence: string | undefined;
  #style: LineStyle = plain;
  /** Whether the line is rendered verbatim: code, and tables, whose columns would shift. */
  #verbatim = false;
  /** The last character rendered, to detect word boundaries. */
  #before = "";
  readonly #wrap: WordWrap;

  /** `columns` returns the width to wrap to. By default, lines are not wrapped. */
  constructor(columns = () => Infinity) {
    this.#wrap = new WordWrap(columns);
  }

  /** Adds a chunk and returns the text to show. */
  write(text: string): string {
    let shown = "";
    const lines = (this.#buffered + text).split("\n");
    this.#buffered = lines.pop()!;
    for (const line of lines) {
      shown += `${this.#render(line, true).shown}${this.#wrap.end()}\n`;
      this.#started = false;
    }
    const { shown: more, rest } = this.#render(this.#buffered, false);
    this.#buffered = rest;
    return shown + more;
  }

  /** Ends the answer and returns the remaining text to show. */
  end(): string {
    const { shown } = this.#render(this.#buffered, true);
    this.#buffered = "";
    return shown + this.#wrap.end();
  }

  #render(line: string, final: boolean): { shown: string; rest: string } {
    if (line === "") return { shown: "", rest: "" };
    let shown = "";
    let text = line;
    if (!this.#started) {
      if (!final && this.#isUndecided(line)) return { shown: "", rest: line };
      [shown, text] = this.#startLine(line);
      this.#wrap.begin(shown, continuationPrefix(line, shown));
      this.#started = true;
      this.#before = "";
    }
    if (this.#verbatim) return { shown: shown + this.#style(text), rest: "" };
    const taken = takeInline(text, final, this.#before);
    const used = text.slice(0, text.length - taken.rest.length);
    this.#before = used.at(-1) ?? this.#before;
    return { shown: shown + this.#wrap.write(this.#style(taken.shown)), rest: taken.rest };
  }

  #isUndecided(line: string): boolean {
    if (this.#fence === undefined) return UNDECIDED.test(line);
    const bare = line.trim();
    return bare.length < this.#fence.length + 3 && /^(`*|~*)$/.test(bare);
  }

  /** Detects the block type of a line. Returns its rendered marker and the remaining source. */
  #startLine(line: string): [shown: string, text: string] {
    this.#style = plain;
    this.#verbatim = this.#fence !== undefined || /^\s*\|/.test(line);
    const fence = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (this.#fence !== undefined) {
      this.#style = (text) => styled("cyan", text);
      if (fence === undefined || !fence.startsWith(this.#fence) || line.trim() !== fence) {
        return ["", line];
      }
      this.#fence = undefined;
      return [styled("dim", line), ""];
    }
    if (fence !== undefined) {
      this.#fence = fence;
      return [styled("dim", line), ""];
    }
    if (RULE.test(line)) return [styled("dim", "─".repeat(40)), ""];
    const heading = /^ {0,3}#{1,6} +/.exec(line);
    if (heading !== null) {
      this.#style = (text) => styled(["bold", "underline"], text);
      return ["", line.slice(heading[0].length)];
    }
    const quote = /^ {0,3}(> ?)+/.exec(line);
    if (quote !== null) {
      const depth = quote[0].split(">").length - 1;
      return [styled("dim", "│ ".repeat(depth)), line.slice(quote[0].length)];
    }
    const item = /^(\s*)[-*+]( +)(?:\[([ xX])\] )?/.exec(line);
    if (item === null) return ["", line];
    const [marker, indent, space, box] = item;
    const bullet = box === undefined ? "•" : box === " " ? "☐" : "☑";
    return [`${indent}${bullet}${space}`, line.slice(marker.length)];
  }
}
