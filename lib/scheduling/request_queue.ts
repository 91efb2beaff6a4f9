/**
 * Queues requests until an endpoint can take them.
 *
 * All endpoints share one queue: its first request starts as soon as any endpoint can take it, so faster
 * endpoints do more.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";
import { type Awaited, DispatchGroup } from "./dispatch_group.ts";
import { abortedBy, type UnavailableError } from "../errors.ts";
import { Grant } from "./grant.ts";
import type { Limits } from "./limits.ts";
import { type LoadBalance, LoadBalancer, type Target } from "./load_balancer.ts";
import type { Ticket } from "./ticket.ts";
import { unavailable } from "./unavailable.ts";

/** The options of a {@link RequestQueue}. */
export interface QueueOptions {
  loadBalance: LoadBalance;
  clock: Clock;
  /** A number from 0 up to 1. */
  random: () => number;
  /** Maximum seconds that a request waits while no endpoint is available. */
  maxWait: number;
  /**
   * The queues over the same endpoints, to which this one is added.
   *
   * @default a group of its own
   */
  group?: DispatchGroup;
}

/** Grants endpoints to requests, first come, first served; retries come first. */
export class RequestQueue<T extends Target> {
  readonly #targets: readonly T[];
  readonly #limits: Limits;
  readonly #balancer: LoadBalancer<T>;
  readonly #clock: Clock;
  readonly #maxWait: number;
  readonly #group: DispatchGroup;
  readonly #retries = new Set<Ticket<T>>();
  readonly #waiting = new Set<Ticket<T>>();
  readonly #queues = [this.#retries, this.#waiting];
  #isDispatching = false;
  #isChanged = false;
  #alarm: { at: number; cancel: AbortController } | undefined;

  constructor(targets: readonly T[], limits: Limits, options: QueueOptions) {
    this.#targets = targets;
    this.#limits = limits;
    this.#balancer = new LoadBalancer(options.loadBalance, targets, options.random);
    this.#clock = options.clock;
    this.#maxWait = options.maxWait;
    this.#group = options.group ?? new DispatchGroup();
    this.#group.add(this);
  }

  /** The number of waiting requests. */
  get size(): number {
    return this.#waiting.size + this.#retries.size;
  }

  /**
   * Grants an endpoint if the queue is empty and one is free.
   *
   * @throws {AbortedError} if a signal has fired
   * @throws {FlexLLMError} when no endpoint can take the request, or it can never fit the budget
   */
  tryTake(ticket: Ticket<T>): Grant<T> | undefined {
    const { firedSignal } = ticket;
    if (firedSignal !== undefined) throw abortedBy(firedSignal);
    if (this.size > 0) return undefined;
    const now = this.#clock.now();
    const target = this.#findTarget(ticket, now);
    return typeof target === "number" ? undefined : this.#grant(target, ticket, now);
  }

  /**
   * Waits for an endpoint.
   *
   * @throws {AbortedError} when a signal fires first
   * @throws {UnavailableError} when no endpoint becomes available within `maxWait`
   * @throws {RedisUnavailableError} when shared limits cannot be used for longer than `maxWait`
   * @throws {FlexLLMError} when no endpoint can take the request, or it can never fit the budget; the error
   *   of {@link RunOptions.onWait}
   */
  async take(ticket: Ticket<T>): Promise<Grant<T>> {
    ticket.call.onWait?.(ticket.isRetry);
    const granted = ticket.wait();
    (ticket.isRetry ? this.#retries : this.#waiting).add(ticket);
    this.dispatch();
    return await granted;
  }

  /** Removes a waiting ticket. */
  remove(ticket: Ticket<T>): void {
    if (!this.#waiting.delete(ticket)) this.#retries.delete(ticket);
    this.#limits.cancel(ticket);
  }

  /** Dispatches every request that can start. Call after any endpoint state change. */
  dispatch(): void {
    if (this.size === 0) return this.#setAlarm(Infinity);
    // Reservations and refusals below may wake this queue again.
    this.#isChanged = true;
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    let next = Infinity;
    while (this.#isChanged) {
      this.#isChanged = false;
      next = this.#dispatchAll();
    }
    this.#isDispatching = false;
    this.#setAlarm(next);
  }

  /** Dispatches once, and returns when to check again. */
  #dispatchAll(): number {
    const now = this.#clock.now();
    let next = Infinity;
    let isMoneyShort = false;
    for (const tickets of this.#queues) {
      for (const ticket of tickets) {
        try {
          // A signal cancels its tickets one by one; those that are not cancelled yet must not start.
          const { firedSignal } = ticket;
          if (firedSignal !== undefined) throw abortedBy(firedSignal);
          const target = this.#findTarget(ticket, now);
          if (typeof target !== "number") {
            // While money is short, only free requests overtake the ones that wait for money.
            if (isMoneyShort && ticket.cost > 0) continue;
            const grant = this.#grant(target, ticket, now);
            if (grant === undefined) {
              const loss = this.#lossOf(ticket, "money");
              if (loss !== undefined) {
                this.#limits.cancel(ticket);
                throw loss;
              }
              isMoneyShort = true;
            } else ticket.grant(grant);
            continue;
          }
          this.#limits.cancel(ticket);
          const error = this.#waitedTooLong(ticket, now) ?? this.#lossOf(ticket, "limits");
          if (error !== undefined) throw error;
          next = Math.min(next, target);
        } catch (error) {
          // Also when the budget's ledger cannot be written: that must not stop the queue.
          ticket.reject(error);
          continue;
        }
        // Later requests with no exclusions cannot start either.
        if (ticket.exclude === undefined && ticket.unfit === undefined) break;
      }
    }
    return next;
  }

  /** Reserves what a request needs at an endpoint; returns `undefined` while money is short. */
  #grant(target: T, ticket: Ticket<T>, now: number): Grant<T> | undefined {
    const reservation = this.#limits.reserve(target.limits, now, ticket);
    return reservation && new Grant(target, reservation, this.#clock, this.#group);
  }

  /**
   * Returns an available endpoint, with the request prepared for it, or when to check again.
   *
   * @throws {FlexLLMError} when no endpoint can take the request
   */
  #findTarget(ticket: Ticket<T>, now: number): T | number {
    let first: unknown;
    while (true) {
      const target = this.#findAvailable(ticket, now);
      if (typeof target === "number") return target;
      try {
        ticket.cost = ticket.call.prepare?.(target) ?? 0;
        return target;
      } catch (error) {
        first ??= error;
        const unfit = ticket.unfit ??= new Set();
        unfit.add(target);
        if (unfit.size === this.#targets.length) throw first;
      }
    }
  }

  /** Returns an available endpoint, or when to check again. */
  #findAvailable(ticket: Ticket<T>, now: number): T | number {
    if (this.#targets.length > 1) {
      return this.#findAmong(this.#candidates(ticket), ticket, now);
    }
    const [target] = this.#targets;
    const at = this.#limits.availableAt(target.limits, now, ticket, !ticket.waitForRecovery);
    return at <= now ? target : at;
  }

  /** The endpoints that a request can use. */
  #candidates({ exclude, unfit, waitForRecovery }: Ticket<T>): readonly T[] {
    const fitting = unfit === undefined
      ? this.#targets
      : this.#targets.filter((target) => !unfit.has(target));
    const untried = exclude === undefined
      ? fitting
      : fitting.filter((target) => !exclude.has(target));
    if (untried.some(({ limits }) => !limits.isDown)) return untried;
    // Every healthy endpoint already failed it: allow them again.
    if (fitting.some(({ limits }) => !limits.isDown)) return fitting;
    // None is healthy: wait for recovery, or try anyway.
    return waitForRecovery || untried.length === 0 ? fitting : untried;
  }

  #findAmong(targets: readonly T[], ticket: Ticket<T>, now: number): T | number {
    const { isOrdered } = this.#balancer;
    const evenIfDown = !ticket.waitForRecovery && targets.every(({ limits }) => limits.isDown);
    const { prefers } = ticket.call;
    if (
      prefers !== undefined && targets.includes(prefers) &&
      this.#limits.availableAt(prefers.limits, now, ticket, evenIfDown) <= now
    ) {
      return prefers;
    }
    const free: T[] = [];
    let next = Infinity;
    for (const target of targets) {
      const at = this.#limits.availableAt(target.limits, now, ticket, evenIfDown);
      if (at > now) next = Math.min(next, at);
      else if (isOrdered || !this.#isTooSlow(target, targets, ticket, now)) free.push(target);
      // Under `fallback`, a healthy but full endpoint still blocks the ones after it.
      if (isOrdered && target.limits.state(now) === "up") break;
    }
    return free.length === 0 ? next : this.#balancer.choose(free);
  }

  /**
   * Whether faster endpoints would finish all remaining requests before this one answered: near the end of a
   * batch, a slow endpoint would hold up everything else. Only endpoints that the request can use count.
   */
  #isTooSlow(target: T, targets: readonly T[], { call }: Ticket<T>, now: number): boolean {
    const { latency } = target.limits;
    const remaining = call.hooks?.remaining;
    if (remaining === undefined || latency === undefined) return false;
    let perMillisecond = 0;
    let longest = 0;
    for (const { limits } of targets) {
      const faster = limits.latency;
      if (faster === undefined || faster >= latency || limits.state(now) !== "up") continue;
      perMillisecond += Math.min(limits.concurrency / faster, limits.rate / 1000);
      longest = Math.max(longest, faster);
    }
    if (perMillisecond === 0) return false;
    return (remaining() + this.size) / perMillisecond + longest < latency;
  }

  /** Returns the error of a request for which no endpoint became available within `maxWait`. */
  #waitedTooLong(
    { waitForRecovery, unfit }: Ticket<T>,
    now: number,
  ): UnavailableError | undefined {
    let shortest = Infinity;
    for (const target of this.#targets) {
      if (unfit?.has(target)) continue;
      const { limits } = target;
      // An endpoint that is down delays only requests that wait for its recovery.
      if (!waitForRecovery && limits.isDown) return undefined;
      shortest = Math.min(shortest, limits.unavailableFor(now));
    }
    if (shortest <= this.#maxWait * 1000) return undefined;
    return unavailable(this.#targets, this.#maxWait, now);
  }

  /** Why a single call must not wait any longer for what processes share. A batch waits until it is back. */
  #lossOf({ call }: Ticket<T>, awaited: Awaited): Error | undefined {
    return call.hooks?.waitForRecovery ? undefined : this.#group.lossOf(awaited);
  }

  #setAlarm(at: number): void {
    if (this.#alarm !== undefined && this.#alarm.at <= at && at !== Infinity) return;
    this.#alarm?.cancel.abort();
    this.#alarm = undefined;
    if (at !== Infinity) this.#startAlarm(at);
  }

  #startAlarm(at: number): void {
    const cancel = new AbortController();
    const alarm = this.#alarm = { at, cancel };
    this.#clock.sleep(at - this.#clock.now(), cancel.signal).then(() => {
      if (this.#alarm !== alarm) return;
      this.#alarm = undefined;
      this.dispatch();
    }, () => {});
  }
}
