/**
 * Brings each request to an endpoint when it may go, and again, or to another one, after failures
 * that can pass. Knows nothing of HTTP.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { LoadBalance, Target } from "./choose.ts";
import { isEndpointFault } from "./gate.ts";
import { Retries, type RetryPolicy } from "./retry.ts";
import { unavailable } from "./unavailable.ts";
import { WaitingLine, type Wish } from "./waiting_line.ts";

/** How requests are scheduled. */
export interface SchedulerOptions extends RetryPolicy {
  loadBalance: LoadBalance;
  /** Whether a request that an endpoint failed goes to another one. */
  fallback: boolean;
  clock: Clock;
  /** A number from 0 up to 1, for the jitter and the choice. */
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

/** How a caller of many requests follows one that waits, without holding a slot. */
export interface CallHooks {
  /**
   * Ends the wait for a slot or between two tries, and only that: the call then throws
   * {@link AbortedError}, while a try that has begun goes on.
   */
  waitSignal?: AbortSignal;
  /** Called when a try failed and the next one is waited for. */
  onRetryWait?: (notice: RetryNotice) => void;
  /** Called when that wait is over. */
  onRetryResume?: () => void;
  /**
   * Whether to wait for an endpoint that was there and has gone away, for as long as `maxWait` says;
   * retries are not used up by it. A batch does, a single call fails sooner.
   */
  patient?: boolean;
  /** How many more requests the caller has, where it knows: near the end slow endpoints are spared. */
  remaining?: () => number;
}

/** How one request is scheduled. */
export interface RunOptions {
  signal?: AbortSignal;
  hooks?: CallHooks;
  /** About how many tokens the request has. */
  promptTokens?: number;
}

/** One try of a request. */
export interface Try<T> {
  target: T;
  /** The tokens that were reckoned with when it began. */
  tokens: readonly number[];
}

/** What a try that keeps its slot gives. */
export interface Held<R> {
  value: R;
  /** Gives the slot back; must be called once. */
  release: () => void;
}

/** Schedules the requests to one or more endpoints. */
export class Scheduler<T extends Target> {
  readonly #targets: readonly T[];
  readonly #options: SchedulerOptions;
  readonly #line: WaitingLine<T>;

  constructor(targets: readonly T[], options: SchedulerOptions) {
    this.#targets = targets;
    this.#options = options;
    this.#line = new WaitingLine(targets, options);
  }

  /** Runs `attempt` when it may, again after failures that can pass, and gives what it gives. */
  run<R>(attempt: (given: Try<T>) => Promise<R>, options: RunOptions): Promise<R> {
    return this.#run(attempt, options, false);
  }

  /** The same, but the slot of the successful try stays taken until `release` is called. */
  async hold<R>(attempt: (given: Try<T>) => Promise<R>, options: RunOptions): Promise<Held<R>> {
    let last: Try<T> | undefined;
    const noted = (given: Try<T>) => attempt(last = given);
    const value = await this.#run(noted, options, true);
    return { value, release: () => this.#release(last!) };
  }

  async #run<R>(
    attempt: (given: Try<T>) => Promise<R>,
    { signal, hooks, promptTokens = 0 }: RunOptions,
    keepsSlot: boolean,
  ): Promise<R> {
    const { clock } = this.#options;
    const wish: Wish<T> = {
      signal,
      waitSignal: hooks?.waitSignal,
      avoid: undefined,
      returns: false,
      patient: false,
      maxWait: this.#options.maxWait,
      hooks,
      promptTokens,
    };
    let retries: Retries | undefined;
    while (true) {
      wish.patient = hooks?.patient === true && this.#anyAnswered();
      const given = this.#line.tryTake(wish) ?? await this.#line.take(wish);
      const { gate } = given.target;
      const begun = clock.now();
      try {
        const value = await attempt(given);
        gate.answered(clock.now(), begun);
        if (!keepsSlot) this.#release(given);
        return value;
      } catch (error) {
        gate.failed(clock.now(), begun, error);
        this.#release(given);
        const waitSignal = wish.waitSignal ?? signal;
        if (this.#turnsElsewhere(error, given.target, wish) && !waitSignal?.aborted) continue;
        retries ??= new Retries(this.#options, this.#options.random);
        const wait = retries.waitAfter(error, {
          away: wish.patient && gate.isDown,
          proven: gate.answers > 0,
          now: clock.now(),
          answeredAt: this.#answeredAt(),
        });
        if (wait === undefined) {
          throw retries.shutOut && hooks?.patient
            ? unavailable(this.#targets, this.#options.maxWait)
            : error;
        }
        wish.avoid = undefined;
        hooks?.onRetryWait?.({ error, failures: retries.failures, wait });
        try {
          await clock.sleep(wait * 1000, waitSignal);
        } finally {
          hooks?.onRetryResume?.();
        }
      }
      wish.returns = true;
    }
  }

  /** Whether another endpoint is left that may answer the request at once; notes it in `wish`. */
  #turnsElsewhere(error: unknown, failed: T, wish: Wish<T>): boolean {
    if (!this.#options.fallback || this.#targets.length === 1 || !isEndpointFault(error)) {
      return false;
    }
    const avoid = new Set(wish.avoid).add(failed);
    wish.avoid = avoid;
    wish.returns = true;
    const now = this.#options.clock.now();
    return this.#targets.some((target) => !avoid.has(target) && target.gate.state(now) === "up");
  }

  #anyAnswered(): boolean {
    return this.#targets.some(({ gate }) => gate.answers > 0);
  }

  #answeredAt(): number {
    let latest = -Infinity;
    for (const { gate } of this.#targets) latest = Math.max(latest, gate.answeredAt);
    return latest;
  }

  #release({ target }: Try<T>): void {
    target.gate.end();
    this.#line.dispatch();
  }
}
