/**
 * Which records of an input are meant.
 *
 * @module
 */
import type { Journal } from "../batch/journal/journal.ts";

/** One of `count` equal parts of an input: the records whose index leaves `index` as remainder. */
export interface Shard {
  index: number;
  count: number;
}

/** Which records to ask. */
export interface Selection {
  /** Only this part of the input. */
  shard?: Shard;
  /** Only the first so many of the records that are meant otherwise. */
  limit?: number;
  /** `true`: only those that failed before; `false`: all but those. */
  retryFailed?: boolean;
}

/**
 * Reads `i/n`. Numbers from 0 to n-1 and from 1 to n both name each part once: n is the same as 0.
 * `undefined` when it is something else.
 */
export function parseShard(text: string): Shard | undefined {
  const match = /^(\d{1,9})\/(\d{1,9})$/.exec(text.trim());
  if (match === null) return undefined;
  const [number, count] = [Number(match[1]), Number(match[2])];
  return count < 1 || number > count ? undefined : { index: number % count, count };
}

/** Whether the record `index` is meant, as far as earlier failures decide. */
export function isSelected(
  index: number,
  { retryFailed }: Selection,
  journal: Journal | undefined,
): boolean {
  return retryFailed === undefined || retryFailed === (journal?.hasFailed(index) ?? false);
}
