/**
 * Renders emphasis, code, links and entities within a line of Markdown.
 *
 * No Markdown library does this for a line that is still arriving, so the spans are matched here: text is
 * rendered as soon as the rest of the line cannot change it.
 *
 * @module
 */
import { decodeHTMLStrict } from "entities";
import { printable } from "../sanitize.ts";
import { hyperlink } from "./hyperlink.ts";
import { plainRun, type Run, SGR, textOfRuns, withStyle } from "./runs.ts";

/** What the terminal shows. */
export interface TextFeatures {
  /** Colors and styles; without them, the markers of emphasis, headings and code stay visible. */
  styles: boolean;
  /** Hyperlinks; without them, URLs appear behind the text of a link. */
  links: boolean;
}

/** The longest span, and so the most text that is buffered to find its end. */
const MAX_SPAN = 800;

interface Span {
  /** Matches the span at the start of the text. */
  pattern: RegExp;
  /** Matches text that may become the span when more arrives. A match must extend to its end. */
  open: RegExp;
  /** Matches the character before a marker that cannot start the span. */
  notAfter?: RegExp;
  /** Matches text whose span may still get longer; by default, a span that extends to its end. */
  growing?: RegExp;
  render(match: RegExpExecArray, style: string, line: InlineMarkdown): Run[];
}

function verbatim(pattern: RegExp, open: RegExp): Span {
  return { pattern, open, render: ([text], style) => [{ text, style }] };
}

function emphasis(marker: string, pattern: RegExp, open: RegExp, styles: string[]): Span {
  return {
    pattern,
    open,
    // Within words, `_` is part of a name and `*` multiplies.
    notAfter: marker === "_" ? /[\p{L}\p{N}_]/u : marker === "*" ? /[A-Za-z0-9]/ : undefined,
    render([, inner], style, line) {
      if (line.features.styles) return line.render(inner, styles.reduce(withStyle, style));
      return [{ text: marker, style }, ...line.render(inner, style), { text: marker, style }];
    },
  };
}

const BREAK: Span = {
  pattern: /^<br\s*\/?>/i,
  open: /^<(b(r\s*\/?)?)?$/i,
  render: () => [plainRun("\n")],
};

const CODE: Span = {
  pattern: /^(`+)(?!`)([^]*?[^`])\1(?!`)/,
  open: /^`/,
  render([source, , code], style, { features }) {
    if (!features.styles) return [{ text: source, style }];
    const text = code.replace(/^ (.*[^ ].*) $/, "$1");
    return [{ text, style: withStyle(style, SGR.cyan) }];
  },
};

/** A link's text, which may contain brackets, and its destination, which may contain parentheses. */
const LINK_TEXT = /\[((?:[^[\]\\]|\\[^]|\[[^[\]]*\])*)\]/.source;
const DESTINATION =
  /<[^<>]*>|(?:[^()\s\\<]|\\[^]|\([^()\s]*\))(?:[^()\s\\]|\\[^]|\([^()\s]*\))*/.source;
const TITLE = /"[^"]*"|'[^']*'|\([^()]*\)/.source;
const TARGET = `\\(\\s*(${DESTINATION})(?:\\s+(?:${TITLE}))?\\s*\\)`;
const OPEN_LINK =
  /\[(?:[^[\]\\]|\\[^]|\[[^[\]]*\])*(?:\\?$|\[[^[\]]*$|\](?:$|\(\s*\S*(?:\s+(?:"[^"]*"?|'[^']*'?|\([^()]*)?)?$))/
    .source;

function destinationOf(source: string): string {
  return source.replace(/^<([^]*)>$/, "$1").replace(/\\([!-/:-@[-`{-~])/g, "$1");
}

const LINK: Span = {
  pattern: new RegExp(`^${LINK_TEXT}${TARGET}`),
  open: new RegExp(`^${OPEN_LINK}`),
  render([, text, target], style, line) {
    return line.link(line.render(text, style), destinationOf(target), style);
  },
};

const IMAGE: Span = {
  pattern: new RegExp(`^!${LINK_TEXT}${TARGET}`),
  open: new RegExp(`^!(?:$|${OPEN_LINK})`),
  render([, text, target], style, line) {
    const label = text.trim() === "" ? "image" : `image: ${text}`;
    return line.link([{ text: `[${label}]`, style }], destinationOf(target), style);
  },
};

const AUTOLINK: Span = {
  pattern: /^<((?:https?:\/\/|mailto:)[^<>\s]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)>/i,
  open: /^<[\w.+-]*$|^<(?:https?:|mailto:|[\w.+-]+@)[^<>\s]*$/i,
  render: ([, url], style, line) =>
    line.link([{ text: url, style }], /^[^:]+@/.test(url) ? `mailto:${url}` : url, style),
};

const BARE_URL: Span = {
  pattern: /^https?:\/\/[^\s<>`"|\\^{}\u3000-\u303f\uff00-\uffef]*[\w/#=&+%~-]/i,
  open: /^h(t(t(p(s?(:(\/(\/\S*)?)?)?)?)?)?)?$/i,
  growing: /^[^\s<>`"|\\^{}\u3000-\u303f\uff00-\uffef]*$/,
  notAfter: /\w/,
  render: ([url], style, line) => line.link([{ text: url, style }], url, style),
};

const ENTITY: Span = {
  pattern: /^&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z0-9]{1,31});/i,
  open: /^&[#a-z0-9]{0,32}$/i,
  // An entity can stand for a control character.
  render: ([source], style) => [{ text: printable(decodeHTMLStrict(source)), style }],
};

const ESCAPE: Span = {
  pattern: /^\\([!-/:-@[-`{-~])/,
  open: /^\\$/,
  render: ([, character], style) => [{ text: character, style }],
};

/** The spans that can start at a character, longest marker first. */
const SPANS: Record<string, Span[]> = {
  "`": [CODE],
  "*": [
    emphasis("***", /^\*{3}(?=[^\s*])([^]*?[^\s*])\*{3}(?!\*)/, /^\*{3}($|[^\s*])/, [
      SGR.bold,
      SGR.italic,
    ]),
    emphasis("**", /^\*\*(?=[^\s*])([^]*?\S)\*\*(?!\*)/, /^\*\*?($|[^\s*])/, [SGR.bold]),
    emphasis("*", /^\*(?=[^\s*])([^]*?[^\s*])\*(?!\*)/, /^\*($|[^\s*])/, [SGR.italic]),
  ],
  "_": [
    {
      ...emphasis("__", /^__(?=[^\s_])([^]*?\S)__(?!\w|\.\w|\()/, /^__?($|[^\s_])/, [SGR.bold]),
      // `__init__.py` and `__init__()` are names.
      growing: /^__(?=[^\s_])[^]*?\S__\.?$/,
    },
    emphasis("_", /^_(?=[^\s_])([^]*?[^\s_])_(?!\w)/, /^_($|[^\s_])/, [SGR.italic]),
  ],
  "~": [
    emphasis("~~", /^~~(?=[^\s~])([^]*?[^\s~])~~(?!~)/, /^~($|~($|[^\s~]))/, [SGR.strikethrough]),
  ],
  "[": [LINK],
  "!": [IMAGE],
  "<": [BREAK, AUTOLINK],
  "&": [ENTITY],
  // Formulas are LaTeX: nothing in them is a marker.
  "$": [
    verbatim(/^\$\$[^]+?\$\$/, /^\$(\$[^]*)?$/),
    verbatim(/^\$(?=[^\s\d$])[^$]{0,100}[^\s$\\]\$(?!\d)/, /^\$([^\s\d$][^$]{0,100})?$/),
  ],
  "\\": [
    verbatim(/^\\\([^]*?\\\)/, /^\\(\([^]*)?$/),
    verbatim(/^\\\[[^]*?\\\]/, /^\\(\[[^]*)?$/),
    ESCAPE,
  ],
  "h": [BARE_URL],
};

/** Where a span may start. */
const MARKER = /[`*_~[!<&$\\]|(?<!\w)h(?=ttps?:\/\/|t{0,2}$|ttps?(?::\/?)?$)/gi;

/** LaTeX's delimiters. They stay as they are if no formula follows. */
const LATEX = /^\\[([\])]/;

/** Renders text within lines. */
export class InlineMarkdown {
  readonly features: TextFeatures;
  /** The number of links, to tell equal ones apart. */
  #links = 0;

  constructor(features: TextFeatures) {
    this.features = features;
  }

  /** Renders a complete line, or the content of a span. */
  render(text: string, style = ""): Run[] {
    return this.take(text, true, "", style).runs;
  }

  /**
   * Text that links to `target`. The target follows in parentheses where the terminal cannot link, or if
   * the text names another address.
   */
  link(text: readonly Run[], target: string, style: string): Run[] {
    const url = hyperlink(target);
    const shown = textOfRuns(text);
    const linked = this.features.links && url !== undefined;
    const link = linked ? `id=flexllm-${++this.#links};${url}` : undefined;
    const runs = text.map((run) => ({
      ...run,
      style: this.features.styles ? withStyle(run.style, SGR.underline) : run.style,
      ...link === undefined ? {} : { link },
    }));
    const isHonest = linked && !namesAnother(shown, url);
    if (isHonest || target === shown || target === `mailto:${shown}`) return runs;
    const dim = this.features.styles ? withStyle(style, SGR.dim) : style;
    return [...runs, { text: shown === "" ? target : ` (${target})`, style: dim }];
  }

  /**
   * Renders as much of a partial line as is unambiguous.
   *
   * @param final whether the line is complete, so that everything is rendered
   * @param before the character before `text`
   * @param style the style of the line
   * @returns the rendered text, and the remaining source
   */
  take(text: string, final: boolean, before: string, style: string): { runs: Run[]; rest: string } {
    const runs: Run[] = [];
    const source = before + text;
    let i = 0;
    while (i < text.length) {
      const next = nextMarker(source, before.length + i) - before.length;
      if (next > i) {
        runs.push({ text: text.slice(i, next), style });
        i = next;
        continue;
      }
      const previous = source[before.length + i - 1] ?? "";
      const rest = text.slice(i, i + MAX_SPAN);
      const spans = SPANS[text[i].toLowerCase()].filter((span) => !span.notAfter?.test(previous));
      const isComplete = final || text.length - i > MAX_SPAN;
      let taken = 0;
      for (const span of spans) {
        const match = span.pattern.exec(rest);
        const mayChange = match === null ? span.open.test(rest) : mayGrow(span, match, rest);
        if (!isComplete && mayChange) return { runs, rest: text.slice(i) };
        if (match === null || span === ESCAPE && LATEX.test(rest)) continue;
        for (const run of span.render(match, style, this)) runs.push({ ...run, isWhole: true });
        taken = match[0].length;
        break;
      }
      if (taken === 0) {
        taken = literalLength(rest);
        // The rest of a run of markers may still arrive.
        if (!isComplete && taken === rest.length && spans.length > 0) {
          return { runs, rest: text.slice(i) };
        }
        // A backslash at the end of a line is a line break.
        if (!(final && rest === "\\")) runs.push({ text: rest.slice(0, taken), style });
      }
      i += taken;
    }
    return { runs, rest: "" };
  }
}

/** Whether a link's text looks like an address other than `url`, which would mislead. */
function namesAnother(text: string, url: string): boolean {
  const address = text.trim();
  if (!/^(?:https?:|mailto:|www\.)|^\S+\.\w{2,}(?:[/:?#]\S*)?$/i.test(address)) return false;
  return ![address, `https://${address}`, `http://${address}`, `mailto:${address}`]
    .some((named) => hyperlink(named) === url);
}

function nextMarker(source: string, from: number): number {
  MARKER.lastIndex = from;
  return MARKER.exec(source)?.index ?? source.length;
}

function mayGrow({ growing }: Span, [match]: RegExpExecArray, rest: string): boolean {
  if (growing !== undefined) return growing.test(rest);
  return match.length === rest.length && !/^[\\<&]/.test(match);
}

/** The number of characters of an unmatched marker. */
function literalLength(rest: string): number {
  return /^([*_~`])\1*/.exec(rest)?.[0].length ?? (LATEX.test(rest) ? 2 : 1);
}
