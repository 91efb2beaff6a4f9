/**
 * Parses the lines of a Markdown table.
 *
 * @module
 */
import type { Alignment } from "./table_layout.ts";

/** Matches the row below the header, which may still be incomplete. */
const PARTIAL_DELIMITER = /^\s*\|?[\s:|-]*$/;
const DELIMITER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** Whether a line starts with a pipe, as the rows of tables do. */
export function isRow(line: string): boolean {
  return /^\s*\|/.test(line);
}

/** Whether a partial line may become the row below the header. */
export function mayBeDelimiter(line: string): boolean {
  return PARTIAL_DELIMITER.test(line);
}

/** The alignments that the row below the header sets; `undefined` if it is another line. */
export function alignmentsOf(line: string): Alignment[] | undefined {
  if (!DELIMITER.test(line) || !line.includes("|")) return undefined;
  return cellsOf(line).map((cell) => {
    if (!cell.endsWith(":")) return "left";
    return cell.startsWith(":") ? "center" : "right";
  });
}

function split(row: string, pipe: RegExp): string[] {
  const cells = [""];
  for (const [token] of row.matchAll(pipe)) {
    if (token === "|") cells.push("");
    else cells[cells.length - 1] += token === "\\|" ? "|" : token;
  }
  return cells.map((cell) => cell.trim());
}

/** The number of columns of a table with `alignments`: of its header if that has more cells. */
export function columnCount(header: string, alignments: number): number {
  return Math.max(alignments, cellsOf(header, alignments, Infinity).length);
}

/**
 * The cells of a row. With more cells than `count`, pipes in code don't separate cells; those still beyond
 * `limit` are joined to the last.
 */
export function cellsOf(row: string, count = Infinity, limit = count): string[] {
  const inner = row.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  const cells = split(inner, /\\\||\||[^|\\]+|\\/g);
  if (cells.length <= count) return cells;
  const smart = split(inner, /\\\||`[^`]*`|\||[^|\\`]+|[\\`]/g);
  if (smart.length <= limit) return smart;
  return [...smart.slice(0, limit - 1), smart.slice(limit - 1).join(" | ")];
}
