/**
 * Makes time pass faster in a process: `flexllm` waits minutes for a job, and a test cannot.
 *
 * Replaces `node:timers`, and the clocks that all code reads. Processes with the same `FAST_CLOCK` (the speed,
 * and milliseconds since 1970 at which it began) agree on the time.
 */
import process from "node:process";
import type * as Timers from "node:timers";

const { env } = process;
const [speed, origin] = (env.FAST_CLOCK ?? "1,0").split(",").map(Number);
const timers = process.getBuiltinModule("node:timers") as typeof Timers;

type Callback = (...args: unknown[]) => void;

export const setTimeout =
  ((callback: Callback, ms = 0, ...args: unknown[]) =>
    timers.setTimeout(callback, ms / speed, ...args)) as typeof Timers.setTimeout;
export const setInterval =
  ((callback: Callback, ms = 0, ...args: unknown[]) =>
    timers.setInterval(callback, ms / speed, ...args)) as typeof Timers.setInterval;
export const { clearTimeout, setImmediate, clearImmediate, clearInterval } = timers;

const RealDate = Date;
const realNow = RealDate.now;
const realSetTimeout = globalThis.setTimeout;
const realPerformanceNow = performance.now.bind(performance);

class FastDate extends RealDate {
  constructor(...args: [] | [string | number | Date]) {
    super(...(args.length === 0 ? [FastDate.now()] : args) as [number]);
  }

  static override now(): number {
    return Math.round(origin + (realNow() - origin) * speed);
  }
}

globalThis.Date = FastDate as DateConstructor;
performance.now = () => realPerformanceNow() * speed;
globalThis.setTimeout =
  ((callback: Callback, ms = 0, ...args: unknown[]) =>
    realSetTimeout(callback, ms / speed, ...args)) as typeof globalThis.setTimeout;
