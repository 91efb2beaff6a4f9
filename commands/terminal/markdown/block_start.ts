/**
 * Recognizes what a line of Markdown starts: quotes and list items around it, and its kind.
 *
 * @module
 */
import { plainRun, type Run, SGR } from "./runs.ts";

/** The kind of a line, without its quotes and list markers. */
export type LineKind =
  | { type: "blank" | "text" | "rule" | "row" }
  | { type: "heading"; level: number; text: string }
  | { type: "underline"; character: string; isRule: boolean }
  | { type: "fence"; marker: string; indent: number; language: string }
  | { type: "math"; end: string };

/** The start of a line. */
export interface LineStart {
  /** The markers of quotes and list items, as shown. */
  marker: Run[];
  /** What continuation lines start with instead. */
  prefix: Run[];
  /** The number of quotes around the line. */
  depth: number;
  /** Whether the line starts a list item. */
  isItem: boolean;
  /** The rest of the line. */
  text: string;
  /** The spaces before the rest. */
  indent: number;
}

const RULE = /^ *([-*_])( *\1){2,} *$/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])( +)(?:\[([ xX])\] +)?(?=\S)/;
const QUOTE = /^ {0,3}> ?/;

/** Matches the rest of a line whose kind is still unknown, or that is only shown when it is complete. */
const UNDECIDED = new RegExp(
  [
    /^\s*$/,
    /^ *(?:[-*_=][-*_= ]*|\d{1,9}(?:[.)] *)?|>|\+ *)$/,
    /^ *#{1,6}(?:\s.*)?$/,
    /^ *(?:`{1,2}|`{3,}[^`]*|~{1,2}|~{3,}.*)$/,
    /^ *(?:\$|\$\$.*|\\|\\\[.*)$/,
  ].map(({ source }) => source).join("|"),
);

/** Matches the start of a task's box after the marker of its item. */
const OPEN_BOX = /^\[[ xX]?\]? *$/;

/** Whether the kind of a partial line is still unknown. */
export function isUndecided({ text, isItem }: LineStart): boolean {
  return UNDECIDED.test(text) || isItem && OPEN_BOX.test(text);
}

/** Separates the quotes and list markers of a line from the rest. */
export function lineStart(line: string, styles: boolean): LineStart {
  const start: LineStart = {
    marker: [],
    prefix: [],
    depth: 0,
    isItem: false,
    text: line.replace(/^[ \t]+/, (space) => space.replaceAll("\t", "    ")),
    indent: 0,
  };
  const add = (marker: Run, prefix = marker) => {
    start.marker.push(marker);
    start.prefix.push(prefix);
  };
  while (true) {
    const { text } = start;
    const quote = QUOTE.exec(text);
    if (quote !== null) {
      add({ text: "│ ", style: styles ? SGR.dim : "" });
      start.depth++;
      start.text = text.slice(quote[0].length);
      continue;
    }
    const item = RULE.test(text) ? null : ITEM.exec(text);
    if (item === null) break;
    const [source, indent, bullet, space, box] = item;
    const shown = /\d/.test(bullet) ? bullet : "•";
    const task = box === undefined ? "" : box === " " ? "☐ " : "☑ ";
    const marker = box !== undefined && shown === "•"
      ? `${indent}${task}`
      : `${indent}${shown}${space}${task}`;
    add(plainRun(marker), plainRun(" ".repeat(marker.length)));
    start.isItem = true;
    start.text = text.slice(source.length);
  }
  start.indent = /^ */.exec(start.text)![0].length;
  return start;
}

/** A line without `depth` quotes around it; `undefined` if there are fewer. */
export function withoutQuotes(line: string, depth: number): string | undefined {
  let text = line;
  for (let i = 0; i < depth; i++) {
    const quote = QUOTE.exec(text);
    if (quote === null) return undefined;
    text = text.slice(quote[0].length);
  }
  return text;
}

/** The kind of a complete line, or of a partial one that is not {@link isUndecided undecided}. */
export function kindOf({ text }: LineStart): LineKind {
  if (text.trim() === "") return { type: "blank" };
  const underline = /^ {0,3}(=+|-+) *$/.exec(text)?.[1];
  if (underline !== undefined) {
    return { type: "underline", character: underline[0], isRule: RULE.test(text) };
  }
  if (RULE.test(text)) return { type: "rule" };
  if (/^ *\|/.test(text)) return { type: "row" };
  const heading = /^ {0,3}(#{1,6})(?:\s+(.*?))??(?:\s+#+)?\s*$/.exec(text);
  if (heading !== null) {
    return { type: "heading", level: heading[1].length, text: heading[2] ?? "" };
  }
  const fence = /^( *)(`{3,}(?=[^`]*$)|~{3,})(.*)$/.exec(text);
  if (fence !== null) {
    const [, space, marker, info] = fence;
    // Some models write the language as an attribute: ```{python}.
    const language = /[\w+#.-]+/.exec(info)?.[0] ?? "";
    return { type: "fence", marker, indent: space.length, language };
  }
  const math = /^ *(\$\$|\\\[)/.exec(text)?.[1];
  if (math !== undefined) {
    const end = math === "$$" ? "$$" : "\\]";
    const rest = text.trim().slice(2);
    if (!rest.includes(end)) return { type: "math", end };
  }
  return { type: "text" };
}

/** Whether `line` closes a code block that `marker` opened. */
export function closesFence(line: string, marker: string): boolean {
  const bare = line.trim();
  return bare.length >= marker.length && bare === marker[0].repeat(bare.length);
}

/** Whether a partial line may close a code block. */
export function mayCloseFence(line: string, marker: string): boolean {
  const bare = line.trim();
  return bare === marker[0].repeat(bare.length);
}
