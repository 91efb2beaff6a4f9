/**
 * Renders emphasis, code and links within a line of Markdown as terminal styles.
 *
 * @module
 */
import { styleText } from "node:util";

type Format = Parameters<typeof styleText>[0];

/** Styles `text`, whether or not the output is a terminal. */
export function styled(format: Format, text: string): string {
  return text === "" ? "" : styleText(format, text, { validateStream: false });
}

/** The longest span, and so the most text that is buffered to find its end. */
const MAX_BUFFERED = 400;

interface Span {
  pattern: RegExp;
  render(match: RegExpExecArray): string;
}

function emphasis(pattern: RegExp, format: Format): Span {
  return { pattern, render: ([, inner]) => styled(format, renderInline(inner)) };
}

/** The spans that can start at a character, longest marker first. Underscores within words are literal. */
const SPANS: Record<string, Span[]> = {
  "`": [{
    pattern: /(`+)(?!`)(.{0,400}?[^`])\1(?!`)/y,
    render: ([, , code]) => styled("cyan", code.replace(/^ (.*[^ ].*) $/, "$1")),
  }],
  "*": [
    emphasis(/\*{3}(?=[^\s*])(.{0,400}?[^\s*])\*{3}(?!\*)/y, ["bold", "italic"]),
    emphasis(/\*\*(?=[^\s*])(.{0,400}?[^\s])\*\*(?!\*)/y, "bold"),
    emphasis(/\*(?=[^\s*])(.{0,400}?[^\s*])\*(?!\*)/y, "italic"),
  ],
  "_": [
    emphasis(/(?<!\w)__(?=[^\s_])(.{0,400}?[^\s])__(?!\w)/y, "bold"),
    emphasis(/(?<!\w)_(?=[^\s_])(.{0,400}?[^\s_])_(?!\w)/y, "italic"),
  ],
  "~": [emphasis(/~~(?=[^\s~])(.{0,400}?[^\s~])~~(?!~)/y, "strikethrough")],
  "[": [{
    pattern: /\[([^\]]{1,400})\]\(([^()\s]{1,400})\)/y,
    render: ([, text, url]) => `${styled("underline", text)} ${styled("dim", `(${url})`)}`,
  }],
  "\\": [{ pattern: /\\([*_`~#])/y, render: ([, character]) => character }],
};

/** Matches text that may become a span when the rest of the line arrives. */
const OPEN =
  /^(`|\*{1,3}($|[^\s*])|_{1,2}($|[^\s_])|~($|~$|~[^\s~])|\[[^\]]*($|\]($|\([^()\s]*$))|\\$)/;

/**
 * Renders as much of a partial line as is unambiguous.
 *
 * @param final whether the line is complete, so that everything is rendered
 * @param before the character before `text`
 * @returns the rendered text, and the remaining source
 */
export function takeInline(
  text: string,
  final: boolean,
  before: string,
): { shown: string; rest: string } {
  let shown = "";
  let i = 0;
  while (i < text.length) {
    const character = text[i];
    const spans = SPANS[character];
    if (spans === undefined) {
      const end = /[`*_~[\\]|$/g;
      end.lastIndex = i;
      const next = end.exec(text)!.index;
      shown += text.slice(i, next);
      i = next;
      continue;
    }
    const source = before + text;
    let match: RegExpExecArray | null = null;
    let span: Span | undefined;
    for (span of spans) {
      span.pattern.lastIndex = before.length + i;
      if ((match = span.pattern.exec(source)) !== null) break;
    }
    const rest = text.slice(i);
    // A marker at the end of the text may still get longer.
    if (match !== null && (final || match[0].length < rest.length || character === "\\")) {
      shown += span!.render(match);
      i += match[0].length;
      continue;
    }
    const inWord = character === "_" && /\w/.test(source[before.length + i - 1] ?? "");
    const mayOpen = !inWord && OPEN.test(rest) && rest.length < MAX_BUFFERED;
    if (!final && (mayOpen || match !== null)) return { shown, rest };
    let run = i + 1;
    while (text[run] === character && character !== "[") run++;
    shown += text.slice(i, run);
    i = run;
  }
  return { shown, rest: "" };
}

/** Renders a complete line, or the content of a span. */
export function renderInline(text: string): string {
  return takeInline(text, true, "").shown;
}
