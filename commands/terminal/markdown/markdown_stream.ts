/**
 * Markdown as it arrives, rendered for the terminal. Nothing that has been shown is ever redrawn, so
 * nothing flickers: a marker is held back until it is known what it means.
 *
 * @module
 */
import { styled, takeInline } from "./inline_markdown.ts";
import { WordWrap } from "./word_wrap.ts";

/** The beginning of a line of which the kind is not known yet. */
const UNDECIDED =
  /^\s*(#{0,6}|[-*+]( +\[?[ xX]?\]?)?|\d{1,9}[.)]?|(> ?)+|[-*_][-*_ ]*|`{1,2}|~{1,2}|(```|~~~).*)$/;

const RULE = /^ {0,3}([-*_])( *\1){2,} *$/;

/** What begins the lines that a line is broken into: the bars of a quote, or blanks below an item. */
function prefixOf(line: string, marker: string): string {
  if (/^ {0,3}>/.test(line)) return marker;
  const item = /^\s*([-*+]|\d{1,9}[.)]) +/.exec(line);
  return item === null ? "" : " ".repeat(marker.length > 0 ? marker.length : item[0].length);
}

type LineStyle = (text: string) => string;

const plain: LineStyle = (text) => text;

/** Renders one answer. */
export class MarkdownStream {
  /** What of this line has arrived and is not shown. */
  #held = "";
  /** Whether something of this line has been shown. */
  #begun = false;
  /** The marker that ends the code block we are in. */
  #fence: string | undefined;
  #style: LineStyle = plain;
  /** Whether the line is taken as it is: code, and tables, whose columns would move. */
  #verbatim = false;
  /** The last character that was shown, for telling words apart. */
  #before = "";
  readonly #wrap: WordWrap;

  /** `columns` gives the width of the terminal; without it no line is broken. */
  constructor(columns = () => Infinity) {
    this.#wrap = new WordWrap(columns);
  }

  /** Takes in a piece and gives what can be shown. */
  write(text: string): string {
    let shown = "";
    const lines = (this.#held + text).split("\n");
    this.#held = lines.pop()!;
    for (const line of lines) {
      shown += `${this.#take(line, true).shown}${this.#wrap.end()}\n`;
      this.#begun = false;
    }
    const { shown: more, rest } = this.#take(this.#held, false);
    this.#held = rest;
    return shown + more;
  }

  /** Gives what was held back, at the end of the answer. */
  end(): string {
    const { shown } = this.#take(this.#held, true);
    this.#held = "";
    return shown + this.#wrap.end();
  }

  #take(line: string, final: boolean): { shown: string; rest: string } {
    if (line === "") return { shown: "", rest: "" };
    let shown = "";
    let text = line;
    if (!this.#begun) {
      if (!final && this.#isUndecided(line)) return { shown: "", rest: line };
      [shown, text] = this.#begin(line);
      this.#wrap.begin(shown, prefixOf(line, shown));
      this.#begun = true;
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

  /** Reads what kind of line it is: what to show first, and the rest, for the line's style. */
  #begin(line: string): [shown: string, text: string] {
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
