/**
 * Colors code line by line, as it arrives.
 *
 * @module
 */
import type { HighlightResult, HLJSApi } from "highlight.js";
import { findLanguage } from "./languages.ts";
import { type Run, SGR } from "./runs.ts";

/** Colors the lines of one code block, in order. */
export type LineHighlighter = (line: string) => Run[];

/** The styles of highlight.js's scopes. Source: its documentation, "Scopes Reference". */
const STYLES = new Map(Object.entries({
  "addition": SGR.green,
  "attr": SGR.cyan,
  "attribute": SGR.cyan,
  "built_in": SGR.cyan,
  "bullet": SGR.yellow,
  "char": SGR.yellow,
  "code": SGR.green,
  "comment": SGR.dim,
  "deletion": SGR.red,
  "doctag": SGR.magenta,
  "keyword": SGR.magenta,
  "link": SGR.underline,
  "literal": SGR.yellow,
  "meta": SGR.yellow,
  "name": SGR.magenta,
  "number": SGR.yellow,
  "quote": SGR.dim,
  "regexp": SGR.green,
  "section": SGR.bold,
  "selector-class": SGR.cyan,
  "selector-id": SGR.cyan,
  "selector-pseudo": SGR.cyan,
  "selector-tag": SGR.magenta,
  "string": SGR.green,
  "strong": SGR.bold,
  "symbol": SGR.yellow,
  "tag": "",
  "template-variable": SGR.yellow,
  "title": SGR.brightBlue,
  "type": SGR.cyan,
  "variable": SGR.cyan,
}));

const ENTITIES = new Map([
  ["&amp;", "&"],
  ["&lt;", "<"],
  ["&gt;", ">"],
  ["&quot;", '"'],
  ["&#x27;", "'"],
]);

/** Converts the HTML that highlight.js returns. */
function runsOf(html: string): Run[] {
  const runs: Run[] = [];
  const styles = [""];
  for (const [token, scopes] of html.matchAll(/<span class="([^"]*)">|<\/span>|&[^;]*;|[^<&]+/g)) {
    if (scopes !== undefined) {
      const scope = /^hljs-([\w-]+)/.exec(scopes)?.[1] ?? "";
      // Code within a string, as in `${name}`, is not part of the string.
      styles.push(scope === "subst" ? "" : STYLES.get(scope) ?? styles.at(-1)!);
    } else if (token === "</span>") styles.pop();
    else runs.push({ text: ENTITIES.get(token) ?? token, style: styles.at(-1)! });
  }
  return runs;
}

/** The runs behind the first `length` characters. */
function after(runs: readonly Run[], length: number): Run[] {
  let skip = length;
  return runs.flatMap((run) => {
    const text = run.text.slice(Math.min(skip, run.text.length));
    skip -= run.text.length - text.length;
    return text === "" ? [] : [{ ...run, text }];
  });
}

/**
 * Lines that are highlighted again with each new line of the same string, comment or script. Of a longer
 * one, the line that opened it is enough.
 */
const MAX_CONTEXT = 40;
/** The same in characters. */
const MAX_CONTEXT_LENGTH = 8000;
/** Longer lines, such as minified code, stay plain: the time of some languages grows with the square of it. */
const MAX_LINE = 1000;

/** Whether the code ends outside of strings, comments and other nested parts. */
function isAtTopLevel({ _top }: HighlightResult): boolean {
  return _top !== undefined && !("parent" in _top && _top.parent !== undefined);
}

let highlighter: Promise<HLJSApi> | undefined;

/** Loads the highlighter of a language; `undefined` if the language is unknown. */
export async function loadHighlighter(name: string): Promise<LineHighlighter | undefined> {
  const found = findLanguage(name);
  if (found === undefined) return undefined;
  highlighter ??= import("highlight.js/lib/core").then((module) => module.default.newInstance());
  const api = await highlighter;
  for (const [each, load] of found.definitions) {
    if (api.getLanguage(each) === undefined) api.registerLanguage(each, (await load()).default);
  }
  const language = found.name;
  // highlight.js cannot continue from a saved state, so the lines since the last top level are repeated.
  let context: string[] = [];
  return (line) => {
    if (line.length > MAX_LINE) return [{ text: line, style: "" }];
    context.push(line);
    const code = `${context.join("\n")}\n`;
    const result = api.highlight(code, { language, ignoreIllegals: true });
    const runs = after(runsOf(result.value), code.length - line.length - 1);
    if (isAtTopLevel(result)) context = [];
    else if (context.length > MAX_CONTEXT || code.length > MAX_CONTEXT_LENGTH) {
      context = context.slice(0, 1);
    }
    return runs.map((run) => ({ ...run, text: run.text.replaceAll("\n", "") }))
      .filter(({ text }) => text !== "");
  };
}
