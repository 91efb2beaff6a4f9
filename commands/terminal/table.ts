/**
 * Formats tables to the terminal's width; without a terminal, nothing is truncated.
 *
 * On a narrow terminal, the columns of a row are listed on separate lines.
 *
 * @module
 */
import stringWidth from "fast-string-truncated-width";
import process from "node:process";
import { printable } from "./sanitize.ts";
import { colored, type Style } from "./output.ts";
import { widthOf } from "./width.ts";
import { widthOfStream } from "./wrap.ts";

/** A column. If no column has a title, the title line is omitted. */
export interface Column {
  title: string;
  align?: "right";
  /** Whether its cells are never truncated, so that they can be copied. */
  untruncated?: true;
}

/** The content of a cell; styles show on a terminal only. */
export type Cell = string | { text: string; style: Style };

/** Spaces between columns. */
const GAP = 2;
/** The width that a truncated column keeps. */
const MIN_WIDTH = 12;

/** The cells of a row, or a heading for the rows below it. */
export type TableRow = readonly Cell[] | string;

/** Options of {@link table}. */
export interface TableOptions {
  /**
   * The stream it will be written to.
   *
   * @default standard output
   */
  stream?: NodeJS.WriteStream;
  /**
   * Maximum width in columns; `undefined` for no limit.
   *
   * @default the width of the stream
   */
  maxWidth?: number;
}

/** Sanitizes a cell: names come from servers and files. */
function plain(cell: Cell): string {
  return printable(typeof cell === "string" ? cell : cell.text).replace(/\s+/g, " ");
}

/** Truncates `text` to `width` columns. */
export function truncate(text: string, width: number): string {
  const { truncated, index } = stringWidth(text, { limit: width, ellipsis: "…", ellipsisWidth: 1 });
  return truncated ? `${text.slice(0, index)}…` : text;
}

/**
 * Shrinks the widest columns until the table fits; `undefined` if it does not fit with every column at
 * its minimum width.
 */
function fit(
  widths: readonly number[],
  columns: readonly Column[],
  maxWidth: number,
): number[] | undefined {
  const fitted = [...widths];
  const least = columns.map(({ title, untruncated }, i) =>
    untruncated ? widths[i] : Math.max(MIN_WIDTH, widthOf(title))
  );
  let excess = fitted.reduce((sum, width) => sum + width + GAP, -GAP) - maxWidth;
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

/** Formats a row with one line per column; cells of columns without a title follow the first one. */
function stacked(
  titles: readonly string[],
  texts: readonly string[],
  maxWidth: number,
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
    const text = truncate(
      texts[i],
      Math.max(MIN_WIDTH, maxWidth - width - (line === 0 ? markWidth : 0)),
    );
    return `${title}${paint(text, i)}${line === 0 ? marks.join("") : ""}`;
  });
}

/** Formats a table as lines, with the titles first. */
export function table(
  columns: readonly Column[],
  rows: readonly TableRow[],
  { stream = process.stdout, maxWidth = widthOfStream(stream) }: TableOptions = {},
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
  const heading = (text: string) =>
    colored("bold", truncate(plain(text), maxWidth ?? Infinity), stream);
  const hasTitles = titles.some((title) => title !== "");
  const fitted = maxWidth === undefined ? widths : fit(widths, columns, maxWidth - indent.length);
  if (fitted === undefined && hasTitles) {
    return rows.flatMap((row, y) => {
      const space = y === 0 ? [] : [""];
      if (typeof row === "string") return [...space, heading(row)];
      const lines = stacked(titles, texts[y]!, maxWidth! - indent.length, [
        paintTitle,
        paintCell(row),
      ]);
      const isBelowHeading = typeof rows[y - 1] === "string";
      return [...isBelowHeading ? [] : space, ...lines.map((line) => `${indent}${line}`)];
    });
  }
  const line = (cells: readonly string[], paint: Paint) => {
    const padded = cells.map((text, i) => {
      const width = (fitted ?? widths)[i];
      const shown = truncate(text, width);
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

/** A table under a heading, without the columns that are empty; nothing without rows. */
export function tableSection(
  title: string,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
): string[] {
  if (rows.length === 0) return [];
  const used = columns.map((_, i) => rows.some((row) => row[i] !== ""));
  const lines = table(
    columns.filter((_, i) => used[i]),
    rows.map((row) => row.filter((_, i) => used[i])),
  );
  return ["", colored("bold", title, process.stdout), ...lines];
}
