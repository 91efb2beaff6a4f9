/**
 * Measured figures, their targets, and how they are printed.
 */

/** One figure. */
export interface Measurement {
  /** The table that it belongs to. */
  section: string;
  /** The conditions, e.g. concurrency and size of the answers. */
  setting: string;
  runtime: string;
  /** What was measured. */
  what: string;
  value: number;
  unit: string;
  /** The ratio to the baseline of the section, usually the bare loop. */
  ratio?: number;
  target?: Target;
}

/** A limit for the ratio, or for the value if there is no ratio. */
export interface Target {
  kind: "at least" | "at most";
  limit: number;
}

/** Whether a figure reaches its target. `slack` relaxes the target by that factor. */
export function reaches({ value, ratio, target }: Measurement, slack = 1): boolean {
  if (target === undefined) return true;
  const figure = ratio ?? value;
  return target.kind === "at least"
    ? figure >= target.limit / slack
    : figure <= target.limit * slack;
}

function figure(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

const TITLES = ["setting", "runtime", "measured", "result", "ratio", "target"];

function cells(row: Measurement): string[] {
  const { setting, runtime, what, value, unit, ratio, target } = row;
  const verdict = target && `${target.kind} ${target.limit}${reaches(row) ? "" : " (missed)"}`;
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

/** Formats tables for the terminal. */
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

/** Formats tables for the documentation. */
export function markdownTables(rows: readonly Measurement[]): string {
  return sections(rows).map(([section, rows]) => {
    const table = [TITLES, TITLES.map(() => "---"), ...rows.map(cells)];
    return `### ${section}\n\n${table.map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`;
  }).join("\n");
}
