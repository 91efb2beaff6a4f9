/**
 * The one line in which requests wait for an endpoint: the first in it goes as soon as any endpoint
 * takes it, so the faster ones do more.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";
import { abortedBy, type UnavailableError } from "../errors.ts";
import type { Sent } from "./adaptive_rate.ts";
import type { Budget, BudgetWaiter, Reservation } from "./budget.ts";
import { type LoadBalance, LoadBalancer, type Target } from "./load_balancer.ts";
import type { TokenDemand, TokenHold } from "./token_limiter.ts";
import { unavailable } from "./unavailable.ts";

/** What a request in the queue needs. */
export interface Ticket<T> {
  signal?: AbortSignal;
  /** Ends the waiting as well. */
  waitSignal?: AbortSignal;
  /** Endpoints that failed it; they are used again when all others have failed it as well. */
  exclude?: ReadonlySet<T>;
  /** Whether an attempt has failed; retries go before requests that have not been tried. */
  isRetry: boolean;
  /** Whether it waits for an endpoint that is down instead of trying it anyway. */
  waitForRecovery: boolean;
  /** Seconds that it waits when no endpoint is there. */
  maxWait: number;
  /** What tells how many more requests there are behind the line, where that is known. */
  hooks?: { remaining?: () => number };
  /** The tokens that it needs. */
  tokens: TokenDemand;
  /**
   * Prepares the request for an endpoint before it is granted, and gives the most that it can cost there,
   * in USD. It throws when the endpoint cannot take the request; another one is then used.
   */
  prepare?: (target: T) => number;
  /** Whether money has to be reserved for it. */
  isPriced?: boolean;
  /** Endpoints that cannot take it. */
  unfit?: Set<T>;
}

/** What a request is granted: an endpoint, with a slot, tokens and money. */
export interface Grant<T> extends Sent {
  target: T;
  /** The tokens that it holds there. */
  tokens: readonly TokenHold[];
  /** The money reserved for it; `undefined` without a budget. */
  money: Reservation | undefined;
}

interface Waiter<T> extends BudgetWaiter {
  ticket: Ticket<T>;
  cost: number;
  resolve(grant: Grant<T>): void;
  reject(error: unknown): void;
}

/** An endpoint that can take a request, and the request's maximum cost there, in USD. */
interface Fit<T> {
  target: T;
  cost: number;
}

/** How endpoints are shared among requests. */
export interface LineOptions {
  loadBalance: LoadBalance;
  clock: Clock;
  /** A number from 0 up to 1. */
  random: () => number;
  /** What tickets with a cost are reserved from. */
  budget?: Budget;
}

/** Gives endpoints to requests, in the order of asking. */
export class RequestQueue<T extends Target> {
  readonly #targets: readonly T[];
  readonly #chooser: LoadBalancer<T>;
  readonly #clock: Clock;
  readonly #budget: Budget | undefined;
  readonly #returning = new Set<Waiter<T>>();
  readonly #waiting = new Set<Waiter<T>>();
  #isDispatching = false;
  #isChanged = false;
  #alarm: { at: number; cancel: AbortController } | undefined;

  constructor(targets: readonly T[], options: LineOptions) {
    this.#targets = targets;
    this.#chooser = new LoadBalancer(options.loadBalance, targets, options.random);
    this.#clock = options.clock;
    this.#budget = options.budget;
  }

  /**
   * Fast path: grants an endpoint immediately if the queue is empty and no money has to be reserved.
   */
  tryTake(ticket: Ticket<T>): Grant<T> | undefined {
    if (this.#waiting.size + this.#returning.size > 0 || ticket.isPriced) return undefined;
    const now = this.#clock.now();
    const found = this.#findFit(ticket, now);
    return typeof found === "number"
      ? undefined
      : this.#grant(found.target, ticket, now, undefined);
  }

  /**
   * Waits for an endpoint.
   *
   * @throws {AbortedError} when a signal fires first
   * @throws {UnavailableError} when no endpoint can be had for longer than the request waits
   */
  take(ticket: Ticket<T>): Promise<Grant<T>> {
    return new Promise((resolve, reject) => {
      const signals = [ticket.signal, ticket.waitSignal];
      const aborted = () => signals.find((signal) => signal?.aborted);
      if (aborted() !== undefined) return reject(abortedBy(aborted()));
      const line = ticket.isRetry ? this.#returning : this.#waiting;
      const leave = () => {
        line.delete(waiter);
        this.#budget?.leave(waiter);
        for (const signal of signals) signal?.removeEventListener("abort", onAbort);
      };
      const onAbort = () => {
        leave();
        reject(abortedBy(aborted()));
        this.dispatch();
      };
      const waiter: Waiter<T> = {
        ticket,
        cost: 0,
        wake: () => this.dispatch(),
        resolve: (grant) => {
          leave();
          resolve(grant);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      line.add(waiter);
      for (const signal of signals) signal?.addEventListener("abort", onAbort);
      this.dispatch();
    });
  }

  /** Dispatches every request that can start. Call after any endpoint state change. */
  dispatch(): void {
    if (this.#waiting.size + this.#returning.size === 0) return this.#setAlarm(Infinity);
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

  /** Returns when to check again. */
  #dispatchAll(): number {
    const now = this.#clock.now();
    let next = Infinity;
    let isShort = false;
    for (const line of [this.#returning, this.#waiting]) {
      for (const waiter of line) {
        const { ticket } = waiter;
        let found: Fit<T> | number;
        try {
          found = this.#findFit(ticket, now);
        } catch (error) {
          waiter.reject(error);
          continue;
        }
        if (typeof found !== "number") {
          isShort = this.#start(waiter, found, now, isShort);
          continue;
        }
        this.#budget?.leave(waiter);
        const lost = this.#absence(ticket, now);
        if (lost !== undefined) {
          waiter.reject(lost);
          continue;
        }
        next = Math.min(next, found);
        // Later requests that may go to every endpoint cannot start either.
        if (ticket.exclude === undefined && ticket.unfit === undefined) break;
      }
    }
    return next;
  }

  /**
   * Starts a request if its money can be reserved; returns whether money is short. While it is, only free
   * requests overtake the ones that wait for money.
   */
  #start(waiter: Waiter<T>, { target, cost }: Fit<T>, now: number, isShort: boolean): boolean {
    const { ticket } = waiter;
    if (this.#budget === undefined || !ticket.isPriced) {
      waiter.resolve(this.#grant(target, ticket, now, undefined));
      return isShort;
    }
    waiter.cost = cost;
    if (isShort && waiter.cost > 0) return true;
    try {
      const claimed = this.#budget.claim(waiter);
      if (claimed === undefined) return true;
      if ("release" in claimed) waiter.resolve(this.#grant(target, ticket, now, claimed));
      else waiter.reject(claimed);
    } catch (error) {
      // The ledger cannot be written: that ends this request, and must not stop the queue.
      waiter.reject(error);
    }
    return isShort;
  }

  #grant(target: T, ticket: Ticket<T>, now: number, money: Reservation | undefined): Grant<T> {
    const { at, order, tokens } = target.gate.begin(now, ticket.tokens);
    return { target, money, at, order, tokens };
  }

  /**
   * The endpoint for a request, which is prepared for it, or when to look again.
   *
   * @throws what the preparation throws when no endpoint can take the request
   */
  #findFit(ticket: Ticket<T>, now: number): Fit<T> | number {
    let first: unknown;
    while (true) {
      const target = this.#find(ticket, now);
      if (typeof target === "number") return target;
      try {
        return { target, cost: ticket.prepare?.(target) ?? 0 };
      } catch (error) {
        first ??= error;
        const unfit = ticket.unfit ??= new Set();
        unfit.add(target);
        if (unfit.size === this.#targets.length) throw first;
      }
    }
  }

  /** The endpoint for a request, or when to look again. */
  #find(ticket: Ticket<T>, now: number): T | number {
    if (this.#targets.length === 1) {
      const [target] = this.#targets;
      const at = target.gate.availableAt(now, ticket.tokens, !ticket.waitForRecovery);
      return at <= now ? target : at;
    }
    return this.#findAmong(this.#candidates(ticket), ticket, now);
  }

  /** The endpoints that a request can go to at all. */
  #candidates({ exclude, unfit, waitForRecovery }: Ticket<T>): readonly T[] {
    const fitting = unfit === undefined
      ? this.#targets
      : this.#targets.filter((target) => !unfit.has(target));
    const fresh = exclude === undefined
      ? fitting
      : fitting.filter((target) => !exclude.has(target));
    const up = fresh.filter(({ gate }) => !gate.isDown);
    if (up.length > 0) return fresh;
    const anyUp = fitting.some(({ gate }) => !gate.isDown);
    // Every healthy endpoint already failed it: allow them again. None healthy: wait for recovery, or try anyway.
    return anyUp || waitForRecovery ? fitting : fresh.length > 0 ? fresh : fitting;
  }

  #findAmong(targets: readonly T[], ticket: Ticket<T>, now: number): T | number {
    const noneUp = targets.every(({ gate }) => gate.isDown);
    const free: T[] = [];
    let next = Infinity;
    for (const target of targets) {
      const at = target.gate.availableAt(now, ticket.tokens, noneUp && !ticket.waitForRecovery);
      if (at > now) next = Math.min(next, at);
      else if (this.#chooser.isOrdered || !this.#isTooSlow(target, targets, ticket, now)) {
        free.push(target);
      }
      // With a fixed order, nobody goes past an endpoint that is slow or only full.
      if (this.#chooser.isOrdered && target.gate.state(now) === "up") break;
    }
    return free.length === 0 ? next : this.#chooser.choose(free);
  }

  /**
   * Whether the rest would be done by faster endpoints before this one had answered: near the end of a
   * batch a slow endpoint would keep all others waiting. Only those count that the request may go to.
   */
  #isTooSlow(
    target: T,
    targets: readonly T[],
    { hooks }: Ticket<T>,
    now: number,
  ): boolean {
    const { latency } = target.gate;
    if (hooks?.remaining === undefined || latency === undefined) return false;
    let perMillisecond = 0;
    let longest = 0;
    for (const { gate } of targets) {
      const faster = gate.latency;
      if (faster === undefined || faster >= latency || gate.state(now) !== "up") continue;
      perMillisecond += Math.min(gate.concurrency / faster, gate.rate / 1000);
      longest = Math.max(longest, faster);
    }
    if (perMillisecond === 0) return false;
    const left = hooks.remaining() + this.#waiting.size + this.#returning.size;
    return left / perMillisecond + longest < latency;
  }

  /** Why it makes no sense for a request to wait any longer, if it does not. */
  #absence(
    { maxWait, waitForRecovery, unfit }: Ticket<T>,
    now: number,
  ): UnavailableError | undefined {
    let shortest = Infinity;
    for (const target of this.#targets) {
      if (unfit?.has(target)) continue;
      const { gate } = target;
      // Who does not wait for endpoints that are away is held up by pauses only.
      if (!waitForRecovery && gate.isDown) return undefined;
      shortest = Math.min(shortest, gate.absence(now));
    }
    if (shortest <= maxWait * 1000) return undefined;
    return unavailable(this.#targets, maxWait);
  }

  #setAlarm(at: number): void {
    if (this.#alarm !== undefined && this.#alarm.at <= at && at !== Infinity) return;
    this.#alarm?.cancel.abort();
    this.#alarm = undefined;
    if (at === Infinity) return;
    const cancel = new AbortController();
    const alarm = this.#alarm = { at, cancel };
    this.#clock.sleep(at - this.#clock.now(), cancel.signal).then(() => {
      if (this.#alarm !== alarm) return;
      this.#alarm = undefined;
      this.dispatch();
    }, () => {});
  }
}
