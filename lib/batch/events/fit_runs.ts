/**
 * Makes the runs of an events file fit into a number of bytes: older runs lose detail first, then disappear.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { GrowingRun } from "./event_run.ts";

/** The numbers of periods to which runs are reduced, one after the other. */
const STEPS = [300, 150, 75] as const;
/** Further steps for a single run that is too large by itself. */
const LAST_STEPS = [...STEPS, 30, 10, 1] as const;

/** The text of `runs` in at most `limit` bytes if possible. Always has the last run. */
export function fitRuns(runs: readonly GrowingRun[], limit: number): string {
  const texts = runs.map((run) => run.text());
  const sizes = texts.map((text) => Buffer.byteLength(text));
  let total = sizes.reduce((sum, size) => sum + size, 0);
  const reduce = (i: number, count: number) => {
    runs[i].limit(count);
    texts[i] = runs[i].text();
    const size = Buffer.byteLength(texts[i]);
    total += size - sizes[i];
    sizes[i] = size;
  };
  const last = runs.length - 1;
  for (const count of STEPS) {
    for (let i = 0; i < last && total > limit; i++) reduce(i, count);
  }
  let first = 0;
  for (; first < last && total > limit; first++) total -= sizes[first];
  for (const count of LAST_STEPS) if (total > limit) reduce(last, count);
  return texts.slice(first).join("");
}
