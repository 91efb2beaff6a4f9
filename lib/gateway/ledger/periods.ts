/**
 * Determines the periods of budgets: days and months in UTC.
 *
 * @module
 */

/** The periods for which a budget can be set. */
export type BudgetPeriod = "day" | "month" | "total";

/** All periods, the shortest first. */
export const BUDGET_PERIODS: readonly BudgetPeriod[] = ["day", "month", "total"];

/** Milliseconds in a day. */
export const DAY = 86_400_000;

/** The day of a time in milliseconds since 1970, as `2026-11-28`. */
export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** How many days are kept one by one. */
const KEPT_DAYS = 400;

/** The first day whose spending is kept on its own; that of earlier days is added up. */
export function firstKeptDay(today: string): string {
  return dayOf(Date.parse(`${today}T00:00:00Z`) - KEPT_DAYS * DAY);
}

/** The month of a day, as `2026-11`. */
export function monthOf(day: string): string {
  return day.slice(0, 7);
}

/**
 * When the budget of a period that contains `day` begins again, in milliseconds since 1970; `undefined` for
 * one that never does.
 */
export function resetOf(period: BudgetPeriod, day: string): number | undefined {
  if (period === "total") return undefined;
  const date = new Date(`${day}T00:00:00Z`);
  if (period === "day") return date.getTime() + DAY;
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** Tells the current day. A clock that is set back does not bring back a day: its budget was spent. */
export class Calendar {
  readonly #now: () => number;
  #day = "";
  #end = -Infinity;

  /** Creates a calendar for a clock in milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The current day in UTC, as `2026-11-28`. */
  today(): string {
    const now = this.#now();
    if (now >= this.#end) {
      this.#day = dayOf(now);
      this.#end = (Math.floor(now / DAY) + 1) * DAY;
    }
    return this.#day;
  }
}
