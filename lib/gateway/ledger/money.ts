/**
 * Converts US dollars to whole nanodollars. Sums of integers are exact, so that no rounding error ever adds up.
 *
 * @module
 */
import { formatDollars } from "../../pricing/format_dollars.ts";

/** Nanodollars in a dollar. One token of the cheapest models costs a few of them. */
const PER_DOLLAR = 1e9;

/** The nearest whole number of nanodollars: for what was spent, and for limits. */
export function toNanos(dollars: number): number {
  return Math.round(dollars * PER_DOLLAR);
}

/** The next higher whole number of nanodollars: for what may be spent. */
export function toNanosUp(dollars: number): number {
  const nanos = dollars * PER_DOLLAR;
  const nearest = Math.round(nanos);
  // 0.3 dollars are 299999999.99999994 or 300000000.00000006 in floating point, but not one nanodollar more.
  return Math.abs(nanos - nearest) <= nearest * Number.EPSILON * 4 ? nearest : Math.ceil(nanos);
}

/** Nanodollars in dollars. */
export function toDollars(nanos: number): number {
  return nanos / PER_DOLLAR;
}

/** An amount for people who want to know why it is not enough, such as `$1.25` or `$0.999999`. */
export function formatNanos(nanos: number): string {
  return formatDollars(toDollars(nanos), 6);
}
