/**
 * Formats durations, amounts of money, counts and shell arguments for display.
 *
 * @module
 */

/** Formats a duration, e.g. `4.2 s`, `3 min 5 s`, `1 h 20 min` or `6 h`. */
export function duration(seconds: number): string {
  if (seconds < 59.5) return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return twoUnits(minutes, "min", whole % 60, "s");
  return twoUnits(Math.floor(minutes / 60), "h", minutes % 60, "min");
}

/** Formats a time in two units, and leaves out the smaller one if it is 0. */
export function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string) {
  return `${large} ${largeUnit}${small === 0 ? "" : ` ${small} ${smallUnit}`}`;
}

export { formatDollars as dollars } from "../../lib/pricing/format_dollars.ts";

/** Quotes an argument for a POSIX shell if it needs quotes. */
export function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

/** Formats counts, e.g. `1,200`. */
export const COUNT: Intl.NumberFormat = new Intl.NumberFormat("en-US");

/** Formats a count with its noun, e.g. `1 model` or `1,200 models`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${COUNT.format(count)} ${count === 1 ? singular : plural}`;
}

/** Formats token counts, e.g. `9 tokens in, 100 out`. */
export function tokenCounts(input: number, output: number): string {
  return `${counted(input, "token")} in, ${COUNT.format(output)} out`;
}

/** Formats a number of bytes, e.g. `512 B` or `1.20 MB`. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const units = ["kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(count) / 3), units.length);
  return `${(count / 1000 ** power).toPrecision(3)} ${units[power - 1]}`;
}
