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
  /** Microseconds of CPU time of the process, per request, token or command. */
  cpu?: number;
  /** The ratio of the CPU time of the baseline to this one. */
  cpuRatio?: number;
  target?: Target;
}

/** A limit for the ratios, or for the value if there is none. */
export interface Target {
  kind: "at least" | "at most";
  limit: number;
}

/** Whether a figure reaches its target, in time and in CPU time. `slack` relaxes the target by that factor. */
export function reaches({ value, ratio, cpuRatio, target }: Measurement, slack = 1): boolean {
  if (target === undefined) return true;
  const { kind, limit } = target;
  return [ratio ?? value, cpuRatio].every((figure) =>
    figure === undefined ||
    (kind === "at least" ? figure >= limit / slack : figure <= limit * slack)
  );
}

function figure(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

const TITLES = ["setting", "runtime", "measured", "result", "ratio", "CPU", "CPU ratio", "target"];
/** The columns of numbers, and those that only some tables have. */
const NUMBERS = [3, 4, 5, 6];
const OPTIONAL = [5, 6];

function cells(row: Measurement): string[] {
  const { setting, runtime, what, value, unit, ratio, cpu, cpuRatio, target } = row;
  const verdict = target && `${target.kind} ${target.limit}${reaches(row) ? "" : " (missed)"}`;
  return [
    setting,
    runtime,
    what,
    `${figure(value)} ${unit}`,
    ratio?.toFixed(2) ?? "",
    cpu === undefined ? "" : `${figure(cpu)} µs`,
    cpuRatio?.toFixed(2) ?? "",
    verdict ?? "",
  ];
}

function sections(rows: readonly Measurement[]): [string, Measurement[]][] {
  return [...Map.groupBy(rows, ({ section }) => section)];
}

/** The rows of a table, without columns that are empty. */
function tableOf(rows: readonly Measurement[]): { titles: string[]; lines: string[][] } {
  const lines = rows.map(cells);
  const isShown = (i: number) => !OPTIONAL.includes(i) || lines.some((line) => line[i] !== "");
  const shown = (line: readonly string[]) => line.filter((_, i) => isShown(i));
  return { titles: shown(TITLES), lines: lines.map(shown) };
}

/** Formats tables for the terminal. */
export function plainTables(rows: readonly Measurement[]): string {
  return sections(rows).map(([section, rows]) => {
    const { titles, lines } = tableOf(rows);
    const table = [titles, ...lines];
    const widths = titles.map((_, i) => Math.max(...table.map((row) => row[i].length)));
    const isNumber = (i: number) => NUMBERS.includes(TITLES.indexOf(titles[i]));
    const text = table.map((row) =>
      row.map((cell, i) => isNumber(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))
        .join("  ").trimEnd()
    );
    return `${section}\n${text.join("\n")}\n`;
  }).join("\n");
}

/** Formats tables for the documentation. */
export function markdownTables(rows: readonly Measurement[]): string {
  return sections(rows).map(([section, rows]) => {
    const { titles, lines } = tableOf(rows);
    const table = [titles, titles.map(() => "---"), ...lines];
    return `### ${section}\n\n${table.map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`;
  }).join("\n");
}
