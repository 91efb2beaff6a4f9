/**
 * Defines the time of reports, so that a test can run minutes of them in a moment.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";

/** A clock with timers. Times are in milliseconds. */
export interface ReportTime {
  /** A time that never jumps; only differences mean something. */
  now(): number;
  /** Calls `run` after `delay`, which does not keep the process running. Returns a function that prevents it. */
  after(delay: number, run: () => void): () => void;
}

/** The time of this machine. */
export const SYSTEM_TIME: ReportTime = {
  now: () => performance.now(),
  after(delay, run) {
    const timer = setTimeout(run, Math.max(0, Math.ceil(delay)));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
