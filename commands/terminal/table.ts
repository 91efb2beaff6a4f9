/**
 * Tables that fit the terminal, and are whole where nobody looks at one. Where a line has no room for
 * all columns, they stand below each other.
 *
 * @module
 */
import stringWidth from "fast-string-truncated-width";
import process from "node:process";
import { printable } from "./sanitize.ts";
import { colored, type Style } from "./output.ts";

/** A column; when no column has a title, no line of titles is made. */
export interface Column {
  title: string;
  align?: "right";
  /** Whether it is never cut: somebody will copy it. */
  whole?: true;
}

/** What stands in a place of a table; colours show on a terminal only. */
export type Cell = string | { text: string; style: Style };

const GAP = 2;
/** A column that is cut keeps this much. */
const LEAST = 12;

/** The cells of a line, or a heading of the lines below it. */
export type Row = readonly Cell[] | string;

/** Where a table is written. */
export interface TableOptions {
  /** Default standard output. */
  stream?: NodeJS.WriteStream;
  /** The width that it must fit, default that of the stream; without one, nothing is cut. */
  room?: number;
}

/** The width of a stream; `undefined` when it is no terminal. */
export function widthOfStream(stream: NodeJS.WriteStream): number | undefined {
  return stream.isTTY ? stream.columns || 80 : undefined;
}

/** Names come from servers and files. */
function plain(cell: Cell): string {
  return printable(typeof cell === "string" ? cell : cell.text).replace(/\s+/g, " ");
}

function widthOf(text: string): number {
  return stringWidth(text).width;
}

/** The beginning of `text` that takes at most `width` columns. */
export function cut(text: string, width: number): string {
  const { truncated, index } = stringWidth(text, { limit: width, ellipsis: "…", ellipsisWidth: 1 });
  return truncated ? `${text.slice(0, index)}…` : text;
}

/**
 * Takes from the widest columns until the table fits, each keeping its title and a little; `undefined`
 * when there is no room for that.
 */
function fit(
  widths: readonly number[],
  columns: readonly Column[],
  room: number,
): number[] | undefined {
  const fitted = [...widths];
  const least = columns.map(({ title, whole }, i) =>
    whole ? widths[i] : Math.max(LEAST, widthOf(title))
  );
  let excess = fitted.reduce((sum, width) => sum + width + GAP, -GAP) - room;
  while (excess > 0) {
    const shrinkable = fitted.map((width, i) => width > least[i] ? width : 0);
    const widest = shrinkable.indexOf(Math.max(...shrinkable));
    if (shrinkable[widest] === 0) return undefined;
    fitted[widest]--;
    excess--;
  }
  return fitted;
}

type Paint = (text: string, column: number) => string;

/** A row with its columns below each other; what has no title stands behind the first of them. */
function stacked(
  titles: readonly string[],
  texts: readonly string[],
  room: number,
  [paintTitle, paint]: readonly [Paint, Paint],
): string[] {
  const width = Math.max(...titles.map(widthOf)) + GAP;
  const marks = texts.map((text, i) => titles[i] === "" && text !== "" ? ` ${paint(text, i)}` : "");
  const markWidth = texts.reduce(
    (sum, text, i) => titles[i] === "" ? sum + widthOf(text) + 1 : sum,
    0,
  );
  const shown = [...titles.keys()].filter((i) => titles[i] !== "" && texts[i] !== "");
  return shown.map((i, line) => {
    const title = paintTitle(titles[i], i) + " ".repeat(width - widthOf(titles[i]));
    const text = cut(texts[i], Math.max(LEAST, room - width - (line === 0 ? markWidth : 0)));
    return `${title}${paint(text, i)}${line === 0 ? marks.join("") : ""}`;
  });
}

/** The lines of a table, the titles first. */
export function table(
  columns: readonly Column[],
  rows: readonly Row[],
  { stream = process.stdout, room = widthOfStream(stream) }: TableOptions = {},
): string[] {
  const titles = columns.map(({ title }) => title);
  const hasHeadings = rows.some((row) => typeof row === "string");
  const texts = rows.map((row) => typeof row === "string" ? undefined : row.map(plain));
  const widths = columns.map((_, i) =>
    texts.reduce((width, row) => Math.max(width, widthOf(row?.[i] ?? "")), widthOf(titles[i]))
  );
  const indent = hasHeadings ? "  " : "";
  const paintTitle = (text: string) => colored("dim", text, stream);
  const paintCell = (row: readonly Cell[]) => (text: string, i: number) => {
    const cell = row[i];
    return typeof cell === "string" ? text : colored(cell.style, text, stream);
  };
  const heading = (text: string) => colored("bold", cut(plain(text), room ?? Infinity), stream);
  const hasTitles = titles.some((title) => title !== "");
  const fitted = room === undefined ? widths : fit(widths, columns, room - indent.length);
  if (fitted === undefined && hasTitles) {
    return rows.flatMap((row, y) => {
      const space = y === 0 ? [] : [""];
      if (typeof row === "string") return [...space, heading(row)];
      const lines = stacked(titles, texts[y]!, room! - indent.length, [paintTitle, paintCell(row)]);
      const isBelowHeading = typeof rows[y - 1] === "string";
      return [...isBelowHeading ? [] : space, ...lines.map((line) => `${indent}${line}`)];
    });
  }
  const line = (cells: readonly string[], paint: Paint) => {
    const padded = cells.map((text, i) => {
      const width = (fitted ?? widths)[i];
      const shown = cut(text, width);
      const space = " ".repeat(Math.max(0, width - widthOf(shown)));
      const isLast = i === columns.length - 1;
      const painted = shown === "" ? "" : paint(shown, i);
      if (columns[i].align === "right") return space + painted;
      return isLast ? painted : painted + space;
    });
    return `${indent}${padded.join(" ".repeat(GAP))}`.trimEnd();
  };
  const lines = rows.map((row, y) =>
    typeof row === "string" ? heading(row) : line(texts[y]!, paintCell(row))
  );
  return hasTitles ? [line(titles, paintTitle), ...lines] : lines;
}
