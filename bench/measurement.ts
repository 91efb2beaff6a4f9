/**
 * What is measured, and how it is shown.
 */

/** One figure. */
export interface Measurement {
  /** What kind of figure it is. */
  section: string;
  /** Under which conditions. */
  setting: string;
  runtime: string;
  /** Who was measured. */
  what: string;
  value: number;
  unit: string;
  /** The figure against that of the bare loop, or whatever the section compares with. */
  ratio?: number;
  /** What the design asks of the figure. */
  bar?: Bar;
}

/** A limit to the ratio, or to the value where there is none. */
export interface Bar {
  kind: "at least" | "at most";
  limit: number;
}

/** Whether a figure reaches its bar; `slack` makes the bar easier, 2 by half. */
export function reaches({ value, ratio, bar }: Measurement, slack = 1): boolean {
  if (bar === undefined) return true;
  const figure = ratio ?? value;
  return bar.kind === "at least" ? figure >= bar.limit / slack : figure <= bar.limit * slack;
}

function figure(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

const TITLES = ["setting", "runtime", "what", "figure", "ratio", "bar"];

function cells(row: Measurement): string[] {
  const { setting, runtime, what, value, unit, ratio, bar } = row;
  const verdict = bar && `${bar.kind} ${bar.limit}${reaches(row) ? "" : " (missed)"}`;
  return [
    setting,
    runtime,
    what,
    `${figure(value)} ${unit}`,
    ratio === undefined ? "" : ratio.toFixed(2),
    verdict ?? "",
  ];
}

function sections(rows: readonly Measurement[]): [string, Measurement[]][] {
  return [...Map.groupBy(rows, ({ section }) => section)];
}

/** Tables for the terminal. */
export function plainTables(rows: readonly Measurement[]): string {
  return sections(rows).map(([section, rows]) => {
    const table = [TITLES, ...rows.map(cells)];
    const widths = TITLES.map((_, i) => Math.max(...table.map((row) => row[i].length)));
    const lines = table.map((row) =>
      row.map((cell, i) => i === 3 || i === 4 ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))
        .join("  ").trimEnd()
    );
    return `${section}\n${lines.join("\n")}\n`;
  }).join("\n");
}

/** Tables for the documentation. */
export function markdownTables(rows: readonly Measurement[]): string {
  return sections(rows).map(([section, rows]) => {
    const table = [TITLES, TITLES.map(() => "---"), ...rows.map(cells)];
    return `### ${section}\n\n${table.map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`;
  }).join("\n");
}
