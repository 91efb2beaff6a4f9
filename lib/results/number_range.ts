/**
 * Parses ranges of numbers and durations, such as `>2s`, `<=0.01` and `1-5`.
 *
 * @module
 */

/** Whether a number is in a range. `NaN`, an unknown number, never is. */
export type NumberTest = (value: number) => boolean;

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };
const NUMBER = /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const COMPARISON = /^(>=|<=|>|<|=)(.+)$/;

/** Parses a plain number; `NaN` for other text. */
function plain(text: string): number {
  return NUMBER.test(text) ? Number(text) : NaN;
}

/** Parses an amount of USD, with or without a sign. */
export function dollarAmount(text: string): number {
  return plain(text.replace(/^\$/, ""));
}

/** Parses a duration to seconds, optionally with a unit: `2`, `500ms`, `1.5m`. */
export function durationAmount(text: string): number {
  const [, amount, unit] = /^(.*[\d.])(ms|[smhd])$/i.exec(text) ?? [];
  return unit === undefined ? plain(text) : plain(amount) * SECONDS[unit.toLowerCase()];
}

/**
 * Parses a range: a comparison (`>2`, `<=5`, `=0`) or two bounds, which are included (`1-5`).
 *
 * @param amount parses a number of the range
 * @returns a test; `undefined` if `text` is not a range
 */
export function parseRange(
  text: string,
  amount: (text: string) => number,
): NumberTest | undefined {
  const compact = text.replaceAll(" ", "");
  const [, operator, bound] = COMPARISON.exec(compact) ?? [];
  if (operator !== undefined) {
    const limit = amount(bound);
    return Number.isNaN(limit) ? undefined : comparison(operator, limit);
  }
  const dash = /(?<!e)-/i.exec(compact)?.index;
  if (dash === undefined) return undefined;
  const [min, max] = [amount(compact.slice(0, dash)), amount(compact.slice(dash + 1))];
  return min <= max ? (value) => value >= min && value <= max : undefined;
}

function comparison(operator: string, limit: number): NumberTest {
  switch (operator) {
    case ">":
      return (value) => value > limit;
    case ">=":
      return (value) => value >= limit;
    case "<":
      return (value) => value < limit;
    case "<=":
      return (value) => value <= limit;
    default:
      return (value) => value === limit;
  }
}
