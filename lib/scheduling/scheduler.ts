/**
 * Decides when each try of a request may go: slots, rate and retries. Knows nothing of HTTP.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { RateLimiter } from "./rate_limiter.ts";
import { RateLimitError } from "../errors.ts";
import { Retries, type RetryPolicy } from "./retry.ts";
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
  /** The moment until which the server has asked everybody to wait. */
  #pausedUntil = -Infinity;

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

  /** A rate limit is the endpoint's: who has not been refused yet waits as well. */
  #pauseAfter(error: unknown): void {
    if (!(error instanceof RateLimitError) || error.retryAfter === undefined) return;
    const until = this.#options.clock.now() + error.retryAfter * 1000;
    this.#pausedUntil = Math.max(this.#pausedUntil, until);
  }

  async #untilResumed(signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#options;
    // It may have been put off meanwhile.
    for (let now = clock.now(); now < this.#pausedUntil; now = clock.now()) {
      await clock.sleep(this.#pausedUntil - now, signal);
    }
  }

  /** The same, but the slot of the successful try stays taken until `release` is called. */
  async hold<T>(attempt: () => Promise<T>, options: RunOptions): Promise<Held<T>> {
    const { signal } = options;
    const retries = new Retries(this.#options, this.#options.random);
    while (true) {
      if (!this.#slots.tryAcquire()) await this.#slots.acquire(signal);
      let wait: number;
      let held = false;
      try {
        await this.#untilResumed(signal);
        if (this.#rate !== undefined) await this.#rate.take(signal);
        const value = await attempt();
        held = true;
        return { value, release: () => this.#slots.release() };
      } catch (error) {
        const seconds = retries.waitAfter(error);
        if (seconds === undefined) throw error;
        wait = seconds;
        this.#pauseAfter(error);
        options.onRetryWait?.({ error, failures: retries.failures, wait });
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
