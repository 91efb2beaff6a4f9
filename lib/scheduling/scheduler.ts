/**
 * Brings each request to an endpoint when it may go, and again, or to another one, after failures
 * that can pass. Knows nothing of HTTP.
 *
 * @module
 */
import type { CallFacts } from "../chat/call_facts.ts";
import type { RetryNotice } from "../chat/retry_notice.ts";
import type { Target } from "./load_balancer.ts";
import { isEndpointFault } from "./endpoint_limits.ts";
import { Retries, type RetryPolicy } from "./retry.ts";
import { unavailable } from "./unavailable.ts";
import type { TokenDemand } from "./token_limiter.ts";
import { type Grant, type LineOptions, RequestQueue, type Ticket } from "./request_queue.ts";

export type { Grant, RetryNotice };

/** How requests are scheduled. */
export interface SchedulerOptions extends RetryPolicy, LineOptions {
  /** Whether a request that an endpoint failed goes to another one. */
  fallback: boolean;
}

/** What the caller of many calls controls and observes of each, beyond its options. */
export interface CallHooks {
  /**
   * Ends only waiting: for a slot, for a limit, or between two attempts. The call then throws
   * {@link AbortedError}; an attempt that has been sent continues.
   */
  waitSignal?: AbortSignal;
  /** Called when an attempt failed and the call waits for the next one. */
  onRetryWait?: (notice: RetryNotice) => void;
  /** Called when that wait is over. */
  onRetryResume?: () => void;
  /** Called once for each call, just before it settles: after its answer, its error, or a cache hit. */
  onEnd?: (facts: CallFacts) => void;
  /**
   * Whether to wait up to `maxWait` for an endpoint that has answered before and is down now, without
   * using up retries. A batch waits; a single call fails sooner.
   */
  waitForRecovery?: boolean;
  /** How many records are left, if known: near the end, slow endpoints get no new work. */
  remaining?: () => number;
}

/** How one request is scheduled. */
export interface RunOptions<T> {
  signal?: AbortSignal;
  hooks?: CallHooks;
  /** The tokens that it needs; default none. */
  tokens?: TokenDemand;
  /** See {@link Ticket.prepare}. */
  prepare?: (target: T) => number;
  /** See {@link Ticket.isPriced}. */
  isPriced?: boolean;
}

/** The result of an attempt that keeps its slot. */
export interface Held<R> {
  value: R;
  /** Releases the slot and the money that is still reserved; must be called once. */
  release: () => void;
}

/** A signal that fires with either of two. */
function anyOf(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  return a === undefined || b === undefined ? a ?? b : AbortSignal.any([a, b]);
}

const NO_TOKENS: TokenDemand = { prompt: 0, maxCompletion: 0 };

/** Schedules the requests to one or more endpoints. */
export class Scheduler<T extends Target> {
  readonly #targets: readonly T[];
  readonly #options: SchedulerOptions;
  readonly #line: RequestQueue<T>;

  constructor(targets: readonly T[], options: SchedulerOptions) {
    this.#targets = targets;
    this.#options = options;
    this.#line = new RequestQueue(targets, options);
  }

  /** Runs `attempt` when it may start, retries it after transient failures, and returns its result. */
  run<R>(attempt: (grant: Grant<T>) => Promise<R>, options: RunOptions<T>): Promise<R> {
    return this.#run(attempt, options, false);
  }

  /** The same, but the successful attempt keeps its grant until `release` is called. */
  async hold<R>(
    attempt: (grant: Grant<T>) => Promise<R>,
    options: RunOptions<T>,
  ): Promise<Held<R>> {
    let last: Grant<T> | undefined;
    const noted = (grant: Grant<T>) => attempt(last = grant);
    const value = await this.#run(noted, options, true);
    return { value, release: () => this.#release(last!) };
  }

  async #run<R>(
    attempt: (grant: Grant<T>) => Promise<R>,
    { signal, hooks, tokens = NO_TOKENS, prepare, isPriced }: RunOptions<T>,
    keepsSlot: boolean,
  ): Promise<R> {
    const { clock } = this.#options;
    const ticket: Ticket<T> = {
      signal,
      waitSignal: hooks?.waitSignal,
      exclude: undefined,
      unfit: undefined,
      isRetry: false,
      waitForRecovery: false,
      maxWait: this.#options.maxWait,
      hooks,
      tokens,
      prepare,
      isPriced,
    };
    let retries: Retries | undefined;
    while (true) {
      ticket.waitForRecovery = hooks?.waitForRecovery === true && this.#anyAnswered();
      const grant = this.#line.tryTake(ticket) ?? await this.#line.take(ticket);
      const { gate } = grant.target;
      try {
        const value = await attempt(grant);
        gate.answered(clock.now(), grant);
        if (!keepsSlot) this.#release(grant);
        return value;
      } catch (error) {
        gate.failed(clock.now(), grant, error);
        this.#release(grant);
        const waitSignal = anyOf(ticket.waitSignal, signal);
        if (this.#turnsElsewhere(error, grant.target, ticket) && !waitSignal?.aborted) continue;
        retries ??= new Retries(this.#options, this.#options.random);
        const waits = ticket.waitForRecovery && gate.isDown;
        const wait = retries.waitAfter(error, {
          downFor: waits ? gate.absence(clock.now()) / 1000 : undefined,
          proven: gate.answers > 0,
          now: clock.now(),
          answeredAt: this.#answeredAt(),
        });
        if (wait === undefined) {
          throw retries.shutOut && hooks?.waitForRecovery
            ? unavailable(this.#targets, this.#options.maxWait)
            : error;
        }
        ticket.exclude = undefined;
        hooks?.onRetryWait?.({ error, failures: retries.failures, wait });
        try {
          await clock.sleep(wait * 1000, waitSignal);
        } finally {
          hooks?.onRetryResume?.();
        }
      }
      ticket.isRetry = true;
    }
  }

  /** Whether another endpoint can answer the request immediately; records the failed one in `ticket`. */
  #turnsElsewhere(error: unknown, failed: T, ticket: Ticket<T>): boolean {
    if (!this.#options.fallback || this.#targets.length === 1 || !isEndpointFault(error)) {
      return false;
    }
    const exclude = new Set(ticket.exclude).add(failed);
    ticket.exclude = exclude;
    ticket.isRetry = true;
    const now = this.#options.clock.now();
    return this.#targets.some((target) =>
      !exclude.has(target) && !ticket.unfit?.has(target) && target.gate.state(now) === "up"
    );
  }

  #anyAnswered(): boolean {
    return this.#targets.some(({ gate }) => gate.answers > 0);
  }

  #answeredAt(): number {
    let latest = -Infinity;
    for (const { gate } of this.#targets) latest = Math.max(latest, gate.answeredAt);
    return latest;
  }

  #release({ target, money }: Grant<T>): void {
    target.gate.end();
    money?.release();
    this.#line.dispatch();
  }
}
