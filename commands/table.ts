/**
 * Tables that fit the terminal, and are whole where nobody looks at one.
 *
 * @module
 */
import stringWidth from "fast-string-truncated-width";
import process from "node:process";
import { printable } from "./printable.ts";
import { colored, type Style } from "./terminal.ts";

/** A column; when no column has a title, no line of titles is made. */
export interface Column {
  title: string;
  align?: "right";
}

/** What stands in a place of a table; colours show on a terminal only. */
export type Cell = string | { text: string; style: Style };

const GAP = 2;
/** A column that is cut keeps this much. */
const LEAST = 8;

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

function cut(text: string, width: number): string {
  const { truncated, index } = stringWidth(text, { limit: width, ellipsis: "…", ellipsisWidth: 1 });
  return truncated ? `${text.slice(0, index)}…` : text;
}

/** Takes from the widest columns until the table fits, each keeping its title and a little. */
function fit(widths: readonly number[], titles: readonly string[], room: number): number[] {
  const fitted = [...widths];
  const least = titles.map((title) => Math.max(LEAST, widthOf(title)));
  let excess = fitted.reduce((sum, width) => sum + width + GAP, -GAP) - room;
  while (excess > 0) {
    const shrinkable = fitted.map((width, i) => width > least[i] ? width : 0);
    const widest = shrinkable.indexOf(Math.max(...shrinkable));
    if (shrinkable[widest] === 0) break;
    fitted[widest]--;
    excess--;
  }
  return fitted;
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
  const fitted = room === undefined ? widths : fit(widths, titles, room - indent.length);
  const line = (cells: readonly string[], paint: (text: string, i: number) => string) => {
    const padded = cells.map((text, i) => {
      const shown = cut(text, fitted[i]);
      const space = " ".repeat(Math.max(0, fitted[i] - widthOf(shown)));
      const isLast = i === columns.length - 1;
      const painted = shown === "" ? "" : paint(shown, i);
      if (columns[i].align === "right") return space + painted;
      return isLast ? painted : painted + space;
    });
    return `${indent}${padded.join(" ".repeat(GAP))}`.trimEnd();
  };
  const lines = rows.map((row, y) => {
    if (typeof row === "string") return colored("bold", cut(plain(row), room ?? Infinity), stream);
    return line(texts[y]!, (text, x) => {
      const cell = row[x];
      return typeof cell === "string" ? text : colored(cell.style, text, stream);
    });
  });
  if (titles.every((title) => title === "")) return lines;
  return [line(titles, (text) => colored("dim", text, stream)), ...lines];
}
