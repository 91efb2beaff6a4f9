/**
 * Parses the values of flags: numbers, ranges, durations and repeated values.
 *
 * @module
 */
import { InvalidArgumentError } from "@commander-js/extra-typings";
import { type Thinking, THINKING_LEVELS } from "../../lib/chat/options.ts";

/** Parses a decimal number; `NaN` for other text, including `""` and `0x10`, which Number() accepts. */
function toNumber(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : NaN;
}

/** Creates a parser of integers of at least `min`, and at most `max` if there is one. */
export function integer(min: number, max = Infinity): (text: string) => number {
  return (text) => {
    const value = toNumber(text);
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      const range = max === Infinity ? `≥ ${min}` : `from ${min} to ${max}`;
      throw new InvalidArgumentError(`Expected an integer ${range}.`);
    }
    return value;
  };
}

/** Parses any integer. */
export function anyInteger(text: string): number {
  const value = toNumber(text);
  if (!Number.isInteger(value)) throw new InvalidArgumentError("Expected an integer.");
  if (!Number.isSafeInteger(value)) {
    throw new InvalidArgumentError(`Expected an integer up to ${Number.MAX_SAFE_INTEGER}.`);
  }
  return value;
}

/** Parses a number greater than 0. */
export function positiveNumber(text: string): number {
  const value = toNumber(text);
  if (!(value > 0)) throw new InvalidArgumentError("Expected a number > 0.");
  return value;
}

/** Creates a parser of numbers from `min` to `max`. */
export function numberWithin(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = toNumber(text);
    if (!(value >= min && value <= max)) {
      throw new InvalidArgumentError(`Expected a number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** Parses a number of at least 0, or a range such as `1-5`. */
function numberRange(text: string): [number, number] {
  const parts = text.split("-").map(toNumber);
  const [min, max = min] = parts;
  if (parts.length > 2 || !(min >= 0) || !(max >= min)) {
    throw new InvalidArgumentError('Expected a number ≥ 0, or an ascending range such as "1-5".');
  }
  return [min, max];
}

/** Parses an integer of at least 0, or a range of integers. */
export function integerRange(text: string): [number, number] {
  const [min, max] = numberRange(text);
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max)) {
    throw new InvalidArgumentError('Expected an integer ≥ 0, or a range such as "1-5".');
  }
  return [min, max];
}

const SECONDS_PER_UNIT: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
};
const DAY = 86_400;

/** Parses seconds, optionally with a unit: `90`, `90s`, `500ms`, `1.5m`, `2h`, `1d`. */
function toSeconds(text: string): number {
  const [, amount = text, unit = "s"] = /^(.*\d\.?)\s*(ms|[smhd])$/i.exec(text.trim()) ?? [];
  return toNumber(amount) * SECONDS_PER_UNIT[unit.toLowerCase()];
}

/** The unit at the end of a duration; empty if it has none. */
function unitOf(text: string): string {
  return /[a-z]*$/i.exec(text.trim())?.[0] ?? "";
}

/**
 * Parses a duration or a range of durations: `2`, `500ms`, `1-5`, `1s-5s`. A unit at the end applies to
 * both numbers, as in `200-500ms`.
 *
 * @returns seconds
 */
export function durationRange(text: string): [number, number] {
  const [first, last = first, ...more] = text.split("-");
  const min = toSeconds(unitOf(first) === "" ? `${first}${unitOf(last)}` : first);
  const max = toSeconds(last);
  if (more.length > 0 || !(min >= 0) || !(max >= min)) {
    throw new InvalidArgumentError(
      "Expected a duration such as 2, 500ms or 1m, or an ascending range such as 1-5 or 200-500ms.",
    );
  }
  if (max > DAY) {
    throw new InvalidArgumentError(
      "Expected at most one day; without a unit, the number is in seconds.",
    );
  }
  return [min, max];
}

/**
 * Creates a parser of durations of at least 0 and at most `max` seconds.
 *
 * @returns a parser that returns seconds
 */
export function duration(max: number): (text: string) => number {
  return (text) => {
    const seconds = toSeconds(text);
    if (!(seconds >= 0)) {
      throw new InvalidArgumentError("Expected seconds ≥ 0, or a duration such as 30s, 5m or 2h.");
    }
    if (seconds > max) throw new InvalidArgumentError(`Expected at most ${max} seconds.`);
    return seconds;
  };
}

/** Parses a timeout in seconds: more than 0, and at most a day, since larger values are usually milliseconds. */
export function timeout(text: string): number {
  const seconds = toSeconds(text);
  if (!(seconds > 0)) {
    throw new InvalidArgumentError("Expected seconds > 0, or a duration such as 30s, 5m or 2h.");
  }
  if (seconds > DAY) {
    throw new InvalidArgumentError(
      "Expected at most one day; the unit is seconds, not milliseconds.",
    );
  }
  return seconds;
}

/** Parses a reasoning effort: on, off, a level or a number of tokens. */
export function thinkingLevel(text: string): Thinking {
  const value = text.trim().toLowerCase();
  if (value === "on" || value === "true") return true;
  if (value === "off" || value === "false") return false;
  const level = THINKING_LEVELS.find((level) => level === value);
  if (level !== undefined) return level;
  const tokens = toNumber(value);
  if (Number.isSafeInteger(tokens) && tokens > 0) return tokens;
  throw new InvalidArgumentError(
    `Expected on, off, ${THINKING_LEVELS.join(", ")} or a number of tokens.`,
  );
}

/** Collects the values of a repeatable flag. */
export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}

/** Collects the values of a repeatable flag that have to be text, not an unset variable of a shell. */
export function collectText(value: string, previous?: string[]): string[] {
  if (value === "") throw new InvalidArgumentError("Expected a text that is not empty.");
  return collect(value, previous);
}
