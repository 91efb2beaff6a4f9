/**
 * Runs each request when an endpoint can take it, and retries it there or at another endpoint after
 * transient failures. Knows nothing of HTTP.
 *
 * @module
 */
import { FlexLLMError, RateLimitError } from "../errors.ts";
import { LinkedSignal } from "../transport/linked_signal.ts";
import type { Budget } from "./budget.ts";
import type { Grant } from "./grant.ts";
import type { Limits } from "./limits.ts";
import type { Target } from "./load_balancer.ts";
import { LocalLimits } from "./local_limits.ts";
import { type QueueOptions, RequestQueue } from "./request_queue.ts";
import { Retries, type RetryPolicy } from "./retry.ts";
import { type RunOptions, Ticket } from "./ticket.ts";
import { unavailable } from "./unavailable.ts";

export type { Grant, RunOptions };

/** The options of a {@link Scheduler}. */
export interface SchedulerOptions extends RetryPolicy, QueueOptions {
  /** Whether a request that failed at one endpoint is sent to another one. */
  fallback: boolean;
  /** Limits the cost of all requests. */
  budget?: Budget;
  /** Enforces the limits; default {@link LocalLimits} with `budget`. */
  limits?: Limits;
}

/** Schedules the requests to one or more endpoints. */
export class Scheduler<T extends Target> {
  readonly #targets: readonly T[];
  readonly #options: SchedulerOptions;
  readonly #queue: RequestQueue<T>;

  constructor(targets: readonly T[], options: SchedulerOptions) {
    this.#targets = targets;
    this.#options = options;
    const { limits = new LocalLimits(options.clock, options.budget) } = options;
    this.#queue = new RequestQueue(targets, limits, options);
  }

  /**
   * Runs `attempt` when it can start, and again after transient failures until {@link Grant.answered} was
   * called. Returns its result.
   */
  async run<R, C extends RunOptions<T>>(
    attempt: (grant: Grant<T>, call: C) => Promise<R>,
    call: C,
  ): Promise<R> {
    const ticket = new Ticket(call, this.#queue);
    let retries: Retries | undefined;
    try {
      while (true) {
        ticket.waitForRecovery = call.hooks?.waitForRecovery === true && this.#anyAnswered();
        const grant = this.#queue.tryTake(ticket) ?? await this.#queue.take(ticket);
        let failure: unknown;
        try {
          const result = await attempt(grant, call);
          grant.answered();
          return result;
        } catch (error) {
          if (grant.isAnswered) throw error;
          grant.failed(error);
          failure = error;
        } finally {
          grant.release();
        }
        if (!this.#hasAlternative(failure, grant.target, ticket)) {
          retries ??= new Retries(this.#options, this.#options.random);
          await this.#waitToRetry(retries, failure, grant.target, ticket);
        }
        ticket.isRetry = true;
      }
    } catch (error) {
      throw call.failure === undefined ? error : call.failure(error);
    }
  }

  /** Whether another endpoint can take the request now. Excludes the one where it failed. */
  #hasAlternative(error: unknown, failed: T, ticket: Ticket<T>): boolean {
    if (
      !this.#options.fallback || this.#targets.length === 1 ||
      !(error instanceof FlexLLMError && error.endpointFault)
    ) {
      return false;
    }
    const exclude = ticket.exclude ??= new Set();
    exclude.add(failed);
    if (ticket.firedSignal !== undefined) return false;
    const now = this.#options.clock.now();
    return this.#targets.some((target) =>
      !exclude.has(target) && !ticket.unfit?.has(target) && target.limits.state(now) === "up"
    );
  }

  /**
   * Waits until the request should be sent again.
   *
   * @throws {unknown} `error` if it should not
   * @throws {AbortedError} when a signal fires first
   */
  async #waitToRetry(
    retries: Retries,
    error: unknown,
    { limits }: T,
    ticket: Ticket<T>,
  ): Promise<void> {
    const { clock, maxWait } = this.#options;
    const { signal, hooks } = ticket.call;
    const now = clock.now();
    const isWaitingForRecovery = ticket.waitForRecovery && limits.isDown;
    const backoff = retries.waitAfter(error, {
      downFor: isWaitingForRecovery ? limits.unavailableFor(now) / 1000 : undefined,
      proven: limits.answers > 0,
      now,
      answeredAt: this.#answeredAt(),
    });
    if (backoff === undefined) {
      const isUnavailable = retries.timedOut && hooks?.waitForRecovery;
      throw isUnavailable ? unavailable(this.#targets, maxWait, now) : error;
    }
    ticket.exclude = undefined;
    const wait = error instanceof RateLimitError ? Math.max(backoff, this.#pause(now)) : backoff;
    hooks?.onRetryWait?.({ error, failures: retries.failures, wait });
    const linked = new LinkedSignal(signal, hooks?.waitSignal).link();
    try {
      await clock.sleep(wait * 1000, linked.signal);
    } finally {
      linked.unlink();
      hooks?.onRetryResume?.();
    }
  }

  /**
   * Seconds for which a 429 paused the endpoints, so that the backoff and the pause are one wait. 0 if an
   * endpoint is not paused; also if the pause exceeds `maxWait`, which the queue then reports.
   */
  #pause(now: number): number {
    let shortest = Infinity;
    for (const { limits } of this.#targets) {
      shortest = Math.min(shortest, limits.pausedUntil - now);
    }
    return shortest > 0 && shortest <= this.#options.maxWait * 1000 ? shortest / 1000 : 0;
  }

  #anyAnswered(): boolean {
    return this.#targets.some(({ limits }) => limits.answers > 0);
  }

  #answeredAt(): number {
    let latest = -Infinity;
    for (const { limits } of this.#targets) latest = Math.max(latest, limits.answeredAt);
    return latest;
  }
}
