/**
 * Merges the periods and marks of a run, so that a run of any length has a bounded number of them.
 *
 * @module
 */
import type { MarkLine, PeriodLine } from "./event_lines.ts";

/** Maximum periods of a run, and of its marks. */
export const MAX_PERIODS = 600;
const MAX_MARKS = 1000;
/** The longest period in seconds, about 68 years. */
const MAX_SECONDS = 2 ** 31;
/** Milliseconds between the end of a pause and the next one if they are the same pause. */
const SAME_PAUSE = 50;

/** The start of the period of `seconds` that contains `at`; both times in milliseconds. */
export function periodStart(at: number, seconds: number): number {
  const length = seconds * 1000;
  return Math.floor(at / length) * length;
}

/** Adds counts by error code to others. */
export function addCounts(
  counts: Record<string, number> | undefined,
  more: Record<string, number> | undefined,
): Record<string, number> | undefined {
  if (more === undefined) return counts;
  const sum = { ...counts };
  for (const [code, count] of Object.entries(more)) {
    sum[code] = (Object.hasOwn(sum, code) ? sum[code] : 0) + count;
  }
  return sum;
}

/** Rounds USD to fewer digits than a sum of doubles has. */
export function roundedCost(usd: number): number {
  return Math.round(usd * 1e9) / 1e9;
}

function joined(first: PeriodLine, second: PeriodLine): PeriodLine {
  const cached = (first.cached ?? 0) + (second.cached ?? 0);
  return {
    ...first,
    in_flight: Math.max(first.in_flight, second.in_flight),
    waiting: Math.max(first.waiting, second.waiting),
    succeeded: first.succeeded + second.succeeded,
    cached: cached > 0 ? cached : undefined,
    failed: addCounts(first.failed, second.failed),
    retried: addCounts(first.retried, second.retried),
    prompt_tokens: first.prompt_tokens + second.prompt_tokens,
    completion_tokens: first.completion_tokens + second.completion_tokens,
    cost: roundedCost(first.cost + second.cost),
  };
}

/** The smallest power of two from `seconds` on. */
function lengthOf(seconds: number): number {
  return Math.min(MAX_SECONDS, 2 ** Math.ceil(Math.log2(Math.max(1, seconds))));
}

/** The time at which a pause ended, in milliseconds. */
function endOf({ at, seconds = 0 }: MarkLine): number {
  return at + seconds * 1000;
}

/** The periods and marks of one run. */
export class Timeline {
  #seconds = 1;
  #markSeconds = 1;
  #periods = new Map<number, PeriodLine>();
  #marks = new Map<string, MarkLine>();
  #lastPause: MarkLine | undefined;

  /** The length of the periods, in seconds: 1, 2, 4 … */
  get seconds(): number {
    return this.#seconds;
  }

  /** The periods in the order of time. */
  get periods(): PeriodLine[] {
    return [...this.#periods.values()].sort((a, b) => a.at - b.at);
  }

  /** The marks in the order of time. */
  get marks(): MarkLine[] {
    return [...this.#marks.values()].sort((a, b) => a.at - b.at);
  }

  /** Adds what happened in a period. It may be a part of one that exists. */
  addPeriod(period: PeriodLine): void {
    const seconds = lengthOf(period.seconds);
    if (seconds > this.#seconds) this.#lengthen(seconds);
    this.#put(period);
    this.limit(MAX_PERIODS);
  }

  /** Adds a mark. Marks of one kind and endpoint in the same period are merged. */
  addMark(mark: MarkLine): void {
    const last = this.#lastPause;
    if (mark.kind === "paused" && last !== undefined) {
      const end = endOf(last);
      if (mark.at >= last.at && mark.at <= end + SAME_PAUSE) {
        last.seconds = Math.max(end, endOf(mark)) / 1000 - last.at / 1000;
        last.seconds = Math.round(last.seconds * 1000) / 1000;
        return;
      }
    }
    this.#putMark(mark);
    while (this.#marks.size > MAX_MARKS) this.#lengthenMarks();
  }

  /** Makes the periods longer until there are at most `count`. */
  limit(count: number): void {
    while (this.#periods.size > count) this.#lengthen(this.#seconds * 2);
  }

  #put(period: PeriodLine): void {
    const at = periodStart(period.at, this.#seconds);
    const found = this.#periods.get(at);
    const added = { ...period, at, seconds: this.#seconds };
    this.#periods.set(at, found === undefined ? added : joined(found, added));
  }

  #lengthen(seconds: number): void {
    const periods = this.periods;
    this.#periods = new Map();
    this.#seconds = seconds;
    for (const period of periods) this.#put(period);
    if (this.#markSeconds < seconds) this.#lengthenMarks(seconds);
  }

  #putMark(mark: MarkLine): void {
    const { kind, endpoint = "" } = mark;
    const key = `${kind} ${periodStart(mark.at, this.#markSeconds)} ${endpoint}`;
    const found = this.#marks.get(key);
    if (found === undefined) {
      const added = { ...mark };
      if (kind === "paused") this.#lastPause = added;
      this.#marks.set(key, added);
      return;
    }
    found.count = (found.count ?? 1) + (mark.count ?? 1);
    if (mark.seconds !== undefined) found.seconds = (found.seconds ?? 0) + mark.seconds;
  }

  #lengthenMarks(seconds: number = this.#markSeconds * 2): void {
    const marks = this.marks;
    this.#marks = new Map();
    this.#lastPause = undefined;
    this.#markSeconds = seconds;
    // A batch does not have an unlimited number of endpoints.
    for (const mark of seconds > MAX_SECONDS ? marks.slice(0, MAX_MARKS) : marks) {
      this.#putMark(mark);
    }
  }
}
