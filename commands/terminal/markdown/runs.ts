/**
 * Text with styles and links, and its conversion to escape sequences.
 *
 * @module
 */
import { widthOf } from "../width.ts";

/** A piece of text in one style. */
export interface Run {
  text: string;
  /** The SGR parameters of the style, e.g. `1;36`; empty for plain text. */
  style: string;
  /** The parameters and the URL of an OSC 8 hyperlink, e.g. `id=1;https://example.com/`. */
  link?: string;
  /** Whether the text is complete: a word that arrives in pieces would be wrapped before its length is known. */
  isWhole?: boolean;
}

/** The SGR parameters of the styles in use. Source: ECMA-48, "SGR"; bright colors: "ctlseqs" of xterm. */
export const SGR = {
  bold: "1",
  dim: "2",
  italic: "3",
  underline: "4",
  strikethrough: "9",
  red: "31",
  green: "32",
  yellow: "33",
  magenta: "35",
  cyan: "36",
  brightBlue: "94",
} as const;

/** The parameter that ends the style `parameter`. */
function closing(parameter: string): string {
  if (parameter === SGR.bold || parameter === SGR.dim) return "22";
  return parameter.length === 1 ? `2${parameter}` : "39";
}

/** Adds `style` to the style `base`. */
export function withStyle(base: string, style: string): string {
  if (base === "" || style === "") return base + style;
  return base.split(";").includes(style) ? base : `${base};${style}`;
}

/** A run without style. */
export function plainRun(text: string): Run {
  return { text, style: "" };
}

/** The width of `runs` in columns. */
export function widthOfRuns(runs: readonly Run[]): number {
  return widthOf(textOfRuns(runs));
}

/** The text of `runs`, without styles. */
export function textOfRuns(runs: readonly Run[]): string {
  return runs.map(({ text }) => text).join("");
}

function paintRun({ text, style, link }: Run): string {
  if (text === "") return "";
  const linked = link === undefined ? text : `\x1b]8;${link}\x1b\\${text}\x1b]8;;\x1b\\`;
  if (style === "") return linked;
  const end = [...new Set(style.split(";").map(closing))].join(";");
  return `\x1b[${style}m${linked}\x1b[${end}m`;
}

/** Converts runs to text with escape sequences. Every sequence is closed before the end. */
export function paint(runs: readonly Run[]): string {
  let painted = "";
  let current: Run | undefined;
  for (const run of runs) {
    if (current !== undefined && run.style === current.style && run.link === current.link) {
      current = { ...current, text: current.text + run.text };
      continue;
    }
    if (current !== undefined) painted += paintRun(current);
    current = run;
  }
  return current === undefined ? painted : painted + paintRun(current);
}
