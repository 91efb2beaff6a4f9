/**
 * The one line in which requests wait for an endpoint: the first in it goes as soon as any endpoint
 * takes it, so the faster ones do more.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { AbortedError, type UnavailableError } from "../errors.ts";
import { Chooser, type LoadBalance, type Target } from "./choose.ts";
import { unavailable } from "./unavailable.ts";

/** What a request in the line wants. */
export interface Wish<T> {
  signal?: AbortSignal;
  /** Ends the waiting as well. */
  waitSignal?: AbortSignal;
  /** Endpoints that have failed it; asked again when all others have, too. */
  avoid?: ReadonlySet<T>;
  /** Whether it comes back from a failure, and goes before those that have not been tried. */
  returns: boolean;
  /** Whether it waits for an endpoint that is away, instead of trying it all the same. */
  patient: boolean;
  /** Seconds that it waits when no endpoint is there. */
  maxWait: number;
  /** What tells how many more requests there are behind the line, where that is known. */
  hooks?: { remaining?: () => number };
  /** About how many tokens it has. */
  promptTokens: number;
}

/** An endpoint that was given to a request. */
export interface Grant<T> {
  target: T;
  /** The tokens reckoned with. */
  tokens: readonly number[];
}

interface Waiter<T> {
  wish: Wish<T>;
  resolve(grant: Grant<T>): void;
  reject(error: unknown): void;
}

/** How endpoints are shared among requests. */
export interface LineOptions {
  loadBalance: LoadBalance;
  clock: Clock;
  /** A number from 0 up to 1. */
  random: () => number;
}

/** Gives endpoints to requests, in the order of asking. */
export class WaitingLine<T extends Target> {
  readonly #targets: readonly T[];
  readonly #chooser: Chooser<T>;
  readonly #clock: Clock;
  readonly #returning = new Set<Waiter<T>>();
  readonly #waiting = new Set<Waiter<T>>();
  #alarm: { at: number; cancel: AbortController } | undefined;

  constructor(targets: readonly T[], options: LineOptions) {
    this.#targets = targets;
    this.#chooser = new Chooser(options.loadBalance, targets, options.random);
    this.#clock = options.clock;
  }

  /** Gives an endpoint if one takes the request now and nobody waits. */
  tryTake(wish: Wish<T>): Grant<T> | undefined {
    if (this.#waiting.size + this.#returning.size > 0) return undefined;
    const now = this.#clock.now();
    const found = this.#find(wish, now);
    return typeof found === "number" ? undefined : this.#grant(found, wish, now);
  }

  /**
   * Waits for an endpoint.
   *
   * @throws {AbortedError} when a signal fires first
   * @throws {UnavailableError} when no endpoint can be had for longer than the request waits
   */
  take(wish: Wish<T>): Promise<Grant<T>> {
    return new Promise((resolve, reject) => {
      const signals = [wish.signal, wish.waitSignal];
      if (signals.some((signal) => signal?.aborted)) return reject(new AbortedError());
      const line = wish.returns ? this.#returning : this.#waiting;
      const leave = () => {
        line.delete(waiter);
        for (const signal of signals) signal?.removeEventListener("abort", onAbort);
      };
      const onAbort = () => {
        leave();
        reject(new AbortedError());
        this.dispatch();
      };
      const waiter: Waiter<T> = {
        wish,
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

  /** Lets go who may; to be called whenever an endpoint has changed. */
  dispatch(): void {
    if (this.#waiting.size + this.#returning.size === 0) return this.#setAlarm(Infinity);
    const now = this.#clock.now();
    let next = Infinity;
    for (const line of [this.#returning, this.#waiting]) {
      for (const waiter of line) {
        const found = this.#find(waiter.wish, now);
        if (typeof found !== "number") {
          waiter.resolve(this.#grant(found, waiter.wish, now));
          continue;
        }
        const lost = this.#absence(waiter.wish, now);
        if (lost !== undefined) {
          waiter.reject(lost);
          continue;
        }
        next = Math.min(next, found);
        // Whoever comes after it and wants the same has to wait as well.
        if (waiter.wish.avoid === undefined) break;
      }
    }
    this.#setAlarm(next);
  }

  #grant(target: T, { promptTokens }: Wish<T>, now: number): Grant<T> {
    return { target, tokens: target.gate.begin(now, promptTokens) };
  }

  /** The endpoint for a request, or when to look again. */
  #find(wish: Wish<T>, now: number): T | number {
    if (this.#targets.length === 1) {
      const [target] = this.#targets;
      const at = target.gate.availableAt(now, !wish.patient);
      return at <= now ? target : at;
    }
    return this.#findAmong(this.#candidates(wish), wish, now);
  }

  /** The endpoints that a request can go to at all. */
  #candidates({ avoid, patient }: Wish<T>): readonly T[] {
    const fresh = avoid === undefined
      ? this.#targets
      : this.#targets.filter((target) => !avoid.has(target));
    const up = fresh.filter(({ gate }) => !gate.isDown);
    if (up.length > 0) return fresh;
    const anyUp = this.#targets.some(({ gate }) => !gate.isDown);
    // It has been to all that are up: once more then; or none is up, and it waits or tries.
    return anyUp || patient ? this.#targets : fresh.length > 0 ? fresh : this.#targets;
  }

  #findAmong(targets: readonly T[], wish: Wish<T>, now: number): T | number {
    const noneUp = targets.every(({ gate }) => gate.isDown);
    const free: T[] = [];
    let next = Infinity;
    for (const target of targets) {
      const at = target.gate.availableAt(now, noneUp && !wish.patient);
      if (at > now) next = Math.min(next, at);
      else if (this.#chooser.isOrdered || !this.#isTooSlow(target, targets, wish, now)) {
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
    { hooks }: Wish<T>,
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
  #absence({ maxWait, patient }: Wish<T>, now: number): UnavailableError | undefined {
    let shortest = Infinity;
    for (const { gate } of this.#targets) {
      // Who does not wait for endpoints that are away is held up by pauses only.
      if (!patient && gate.isDown) return undefined;
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
