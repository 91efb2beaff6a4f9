/**
 * Formats numbers, money and times for the status page.
 *
 * @module
 */

const COUNT = new Intl.NumberFormat("en-US");
const LARGE = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

/** Formats a count, e.g. `1,200`. */
export function count(value: number): string {
  return COUNT.format(value);
}

/** Formats a large count in short, e.g. `1.2M`. */
export function compact(value: number): string {
  return value < 10_000 ? COUNT.format(value) : LARGE.format(value);
}

export { formatDollars as dollars } from "../../pricing/format_dollars.ts";

/** Formats a short time, e.g. `120 ms` or `4.2 s`. */
export function seconds(value: number): string {
  if (value < 0.9995) return `${Math.round(value * 1000)} ms`;
  return `${value < 99.95 ? value.toFixed(1) : COUNT.format(Math.round(value))} s`;
}

/** Formats a long time with its two largest units, e.g. `3 d 4 h`. */
export function longTime(value: number): string {
  const units: [string, number][] = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];
  let rest = Math.floor(value);
  const parts: string[] = [];
  for (const [unit, size] of units) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    // Days and seconds together say nothing.
    if (parts.length === 1) return whole === 0 ? parts[0] : `${parts[0]} ${whole} ${unit}`;
    if (whole > 0) parts.push(`${whole} ${unit}`);
  }
  return parts[0] ?? "0 s";
}

/** Formats the time of day in UTC, e.g. `14:05`, or with seconds. */
export function timeOfDay(at: number, withSeconds = false): string {
  return new Date(at).toISOString().slice(11, withSeconds ? 19 : 16);
}

/** Formats a date and a time in UTC, e.g. `2026-11-27 14:05:09`. */
export function dateAndTime(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}

// deno-lint-ignore no-control-regex -- they are what has to go
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Text of clients and providers without control characters and changes of direction, which falsify a table. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, "\ufffd");
}
