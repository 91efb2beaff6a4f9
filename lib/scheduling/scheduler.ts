/**
 * Decides when each try of a request may go: slots, rate and retries. Knows nothing of HTTP.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { RateLimiter } from "./rate_limiter.ts";
import { type RetryPolicy, retryWait } from "./retry.ts";
import { Slots } from "./slots.ts";

/** The limits of one endpoint. */
export interface SchedulerOptions extends RetryPolicy {
  /** The most requests in flight. */
  concurrency: number;
  /** The most requests begun in any second; no limit when `undefined`. */
  maxQps: number | undefined;
  clock: Clock;
  /** A number from 0 up to 1, for the jitter. */
  random: () => number;
}

/** What is told of a request that waits for another try. */
export interface RetryNotice {
  /** What went wrong. */
  error: unknown;
  /** How many tries have failed. */
  failures: number;
  /** Seconds until the next try. */
  wait: number;
}

/** How one request is scheduled. */
export interface RunOptions {
  signal?: AbortSignal;
  /** Ends the wait for another try, and only that: a try that has begun goes on. */
  retrySignal?: AbortSignal;
  /** Called when a try failed and the request gives its slot back to wait for the next. */
  onRetryWait?: (notice: RetryNotice) => void;
  /** Called when that wait is over. */
  onRetryResume?: () => void;
}

/** What a try that keeps its slot gives. */
export interface Held<T> {
  value: T;
  /** Gives the slot back; must be called once. */
  release: () => void;
}

/** Schedules the requests to one endpoint. */
export class Scheduler {
  readonly #slots: Slots;
  readonly #rate: RateLimiter | undefined;
  readonly #options: SchedulerOptions;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#slots = new Slots(options.concurrency);
    this.#rate = options.maxQps === undefined
      ? undefined
      : new RateLimiter(options.maxQps, options.clock);
  }

  /** Runs `attempt` when it may, again after failures that can pass, and gives what it gives. */
  async run<T>(attempt: () => Promise<T>, options: RunOptions): Promise<T> {
    const { value, release } = await this.hold(attempt, options);
    release();
    return value;
  }

  /** The same, but the slot of the successful try stays taken until `release` is called. */
  async hold<T>(attempt: () => Promise<T>, options: RunOptions): Promise<Held<T>> {
    const { signal } = options;
    for (let failures = 0;;) {
      if (!this.#slots.tryAcquire()) await this.#slots.acquire(signal);
      let wait: number;
      let held = false;
      try {
        if (this.#rate !== undefined) await this.#rate.take(signal);
        const value = await attempt();
        held = true;
        return { value, release: () => this.#slots.release() };
      } catch (error) {
        failures++;
        const seconds = retryWait(error, failures, this.#options, this.#options.random);
        if (seconds === undefined) throw error;
        wait = seconds;
        options.onRetryWait?.({ error, failures, wait });
      } finally {
        if (!held) this.#slots.release();
      }
      try {
        await this.#options.clock.sleep(wait * 1000, options.retrySignal ?? signal);
      } finally {
        options.onRetryResume?.();
      }
    }
  }
}
