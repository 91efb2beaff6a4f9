/**
 * Parses points in the past: an age such as `7d`, or a local date or time.
 *
 * @module
 */
import { InvalidArgumentError } from "@commander-js/extra-typings";
import { duration } from "./parse.ts";

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/;

/** The longest age, in seconds: 100 years. */
const LONGEST_AGE = 36_525 * 86_400;

/** The date that a text names in the local time zone; `undefined` if there is no such day. */
function localTime(text: string): Date | undefined {
  // Without a time, a date would be in UTC.
  const date = new Date(DAY.test(text) ? `${text}T00:00` : text.replace(" ", "T"));
  // JavaScript accepts February 30 as March 1 or 2.
  const isReal = !Number.isNaN(date.getTime()) &&
    !Number.isNaN(Date.parse(`${text.slice(0, 10)}T00:00Z`)) &&
    new Date(`${text.slice(0, 10)}T00:00Z`).toISOString().startsWith(text.slice(0, 10));
  return isReal ? date : undefined;
}

/**
 * Creates a parser of points in the past: an age (`90m`, `12h`, `7d`), a date (`2026-11-01`) or a time
 * (`2026-11-01T10:00`).
 *
 * @param edge which moment a date without a time means: the start of that day or its end
 * @param now the current time in milliseconds
 * @returns a parser that returns milliseconds since 1970
 */
export function pastTime(
  edge: "start" | "end",
  now: () => number = Date.now,
): (text: string) => number {
  const age = duration(LONGEST_AGE);
  return (given) => {
    const text = given.trim();
    const date = DAY.test(text) || TIME.test(text) ? localTime(text) : undefined;
    if (date === undefined) {
      if (/^\d+(\.\d+)?\s*[smhd]$/i.test(text)) return now() - age(text) * 1000;
      throw new InvalidArgumentError(
        "Expected an age such as 12h or 7d, a date such as 2026-11-01, or a time such as 2026-11-01T10:00.",
      );
    }
    if (edge === "end" && DAY.test(text)) date.setDate(date.getDate() + 1);
    return date.getTime() - (edge === "end" && DAY.test(text) ? 1 : 0);
  };
}
