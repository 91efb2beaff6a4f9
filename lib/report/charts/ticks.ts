/**
 * Chooses the marks of an axis and writes their labels.
 *
 * @module
 */

/** A mark of an axis. */
export interface Tick {
  value: number;
  label: string;
}

const COMPACT = new Intl.NumberFormat("en-US", {
  notation: "compact",
  maximumSignificantDigits: 3,
});

/** Formats a number in little space: `950`, `1.2K`, `3M`. */
export function compact(value: number): string {
  return COMPACT.format(value);
}

/** Formats seconds in little space: `20 ms`, `1.5 s`, `3 min`, `2 h`. */
export function shortTime(seconds: number): string {
  const text = (value: number, unit: string) => `${Number(value.toPrecision(3))} ${unit}`;
  if (seconds === 0) return "0";
  if (seconds < 0.001) return text(seconds * 1e6, "µs");
  if (seconds < 0.9995) return text(seconds * 1000, "ms");
  if (seconds < 119.5) return text(seconds, "s");
  if (seconds < 7170) return text(seconds / 60, "min");
  return seconds < 172_000 ? text(seconds / 3600, "h") : text(seconds / 86_400, "d");
}

/** Multiples of powers of ten at which a logarithmic axis has marks: the shorter the axis, the more. */
const LOG_STEPS = [[1], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 6, 8]] as const;

/** Marks of a logarithmic axis from `from` to `to`, at least two if they are not close together. */
export function logTicks(from: number, to: number, format: (value: number) => string): Tick[] {
  const first = Math.log10(to / from) > 2.5 ? 0 : 1;
  const ticks = logTicksAt(LOG_STEPS[first], from, to, format);
  return ticks.length >= 2 ? ticks : logTicksAt(LOG_STEPS[2], from, to, format);
}

function logTicksAt(
  steps: readonly number[],
  from: number,
  to: number,
  format: (value: number) => string,
): Tick[] {
  const ticks: Tick[] = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++) {
    for (const step of steps) {
      const value = Number(`${step}e${power}`);
      if (value >= from * 0.999 && value <= to * 1.001) {
        ticks.push({ value, label: format(value) });
      }
    }
  }
  return ticks;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
/** Steps of an axis of time, in seconds. */
const TIME_STEPS = [
  ...[0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30],
  ...[1, 2, 5, 10, 20, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100, 500].map((days) => days * DAY),
];
const TIME_MARKS = 6;

/** Marks of an axis of elapsed time, from 0 to `seconds`. */
export function timeTicks(seconds: number): Tick[] {
  const step = TIME_STEPS.find((step) => seconds / step <= TIME_MARKS) ?? seconds / TIME_MARKS;
  const ticks: Tick[] = [];
  for (let i = 0; i * step <= seconds * 1.001 && i < 20; i++) {
    ticks.push({ value: i * step, label: shortTime(Number((i * step).toPrecision(6))) });
  }
  return ticks;
}

/** The end of a linear axis from 0 that shows `value`, and the distance between its marks. */
export function linearScale(value: number): { min: 0; max: number; interval: number } {
  if (!(value > 0)) return { min: 0, max: 1, interval: 1 };
  const power = 10 ** Math.floor(Math.log10(value / 4));
  const step = [1, 2, 2.5, 5, 10].find((step) => value / (step * power) <= 5)!;
  const interval = Number((step * power).toPrecision(6));
  return {
    min: 0,
    max: Number((Math.ceil(value / interval - 1e-9) * interval).toPrecision(6)),
    interval,
  };
}
