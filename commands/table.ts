/**
 * Tables that fit the terminal, and are whole where nobody looks at one.
 *
 * @module
 */
import stringWidth from "fast-string-truncated-width";
import process from "node:process";
import { stripVTControlCharacters } from "node:util";
import { colored, type Style } from "./terminal.ts";

/** A column. */
export interface Column {
  title: string;
  align?: "right";
}

/** What stands in a place of a table; colours show on a terminal only. */
export type Cell = string | { text: string; style: Style };

const GAP = 2;
/** A column that is cut keeps this much. */
const LEAST = 8;

/** The width of standard output; `undefined` when it is no terminal. */
export function outputWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns || 80 : undefined;
}

/** Names come from servers and files, and must not steer the terminal. */
function plain(cell: Cell): string {
  const text = typeof cell === "string" ? cell : cell.text;
  // deno-lint-ignore no-control-regex
  return stripVTControlCharacters(text).replace(/[\x00-\x1f\x7f-\x9f]+/g, " ");
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

/**
 * The lines of a table, the titles first.
 *
 * @param room the width that it must fit, default that of the terminal; nothing is cut without one
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  room: number | undefined = outputWidth(),
): string[] {
  const titles = columns.map(({ title }) => title);
  const texts = rows.map((row) => row.map(plain));
  const widths = columns.map((_, i) =>
    texts.reduce((width, row) => Math.max(width, widthOf(row[i])), widthOf(titles[i]))
  );
  const fitted = room === undefined ? widths : fit(widths, titles, room);
  const line = (cells: readonly string[], paint: (text: string, i: number) => string) => {
    const padded = cells.map((text, i) => {
      const shown = cut(text, fitted[i]);
      const space = " ".repeat(Math.max(0, fitted[i] - widthOf(shown)));
      const isLast = i === columns.length - 1;
      const painted = shown === "" ? "" : paint(shown, i);
      if (columns[i].align === "right") return space + painted;
      return isLast ? painted : painted + space;
    });
    return padded.join(" ".repeat(GAP)).trimEnd();
  };
  const head = line(titles, (text) => colored("dim", text, process.stdout));
  return [
    head,
    ...texts.map((row, y) =>
      line(row, (text, x) => {
        const cell = rows[y][x];
        return typeof cell === "string" ? text : colored(cell.style, text, process.stdout);
      })
    ),
  ];
}
