/**
 * Selects the records of an input that a run should send: a shard, a number, the failed ones.
 *
 * @module
 */
import type { Journal } from "../batch/journal/journal.ts";

/** One of `count` equal parts of an input: the records with `index` as the remainder of their index. */
export interface Shard {
  /** From 0 to `count` - 1. */
  index: number;
  /** The number of parts. */
  count: number;
}

/** The records to send. */
export interface Selection {
  /** Only this part of the input. */
  shard?: Shard;
  /** Only the first N of the otherwise selected records. */
  limit?: number;
  /** `true`: only records that failed before; `false`: all except those. */
  retryFailed?: boolean;
}

/**
 * Parses `i/n`. `i` may count from 0 or from 1: n is the same shard as 0. `undefined` if `text` is
 * something else.
 */
export function parseShard(text: string): Shard | undefined {
  const match = /^(\d{1,9})\/(\d{1,9})$/.exec(text.trim());
  if (match === null) return undefined;
  const [number, count] = [Number(match[1]), Number(match[2])];
  return count < 1 || number > count ? undefined : { index: number % count, count };
}

/** Whether earlier failures select the record `index`. */
export function isSelected(
  index: number,
  { retryFailed }: Selection,
  journal: Pick<Journal, "state"> | undefined,
): boolean {
  return retryFailed === undefined || retryFailed === (journal?.state(index) === "error");
}
