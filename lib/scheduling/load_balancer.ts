/**
 * Which of several endpoints a request goes to.
 *
 * @module
 */
import type { EndpointLimits } from "./endpoint_limits.ts";

/** How requests are shared out; all strategies leave out endpoints that have no room now. */
export type LoadBalance =
  /** One after the other. */
  | "round_robin"
  /** By chance, in proportion to their weights. */
  | "weighted"
  /** By chance. */
  | "random"
  /** The first that is up; the others stand by. */
  | "fallback"
  /** The one with the smallest part of its places taken. */
  | "least_busy"
  /** The one that has answered fastest of late; those not tried yet come first. */
  | "latency";

/** All strategies. */
export const LOAD_BALANCES: readonly LoadBalance[] = [
  "round_robin",
  "weighted",
  "random",
  "fallback",
  "least_busy",
  "latency",
];

/** What requests are sent through. */
export interface Target {
  readonly gate: EndpointLimits;
  /** The share of the requests under `weighted`. */
  readonly weight: number;
}

/** Chooses among endpoints by one strategy. */
export class LoadBalancer<T extends Target> {
  readonly #strategy: LoadBalance;
  readonly #targets: readonly T[];
  readonly #random: () => number;
  /** The place after the endpoint chosen last. */
  #next = 0;

  constructor(strategy: LoadBalance, targets: readonly T[], random: () => number) {
    this.#strategy = strategy;
    this.#targets = targets;
    this.#random = random;
  }

  /** Whether only the first endpoint that is up may be used, even when it has no room. */
  get isOrdered(): boolean {
    return this.#strategy === "fallback";
  }

  /** One of `free`, which stand in the order of the endpoints and are at least one. */
  choose(free: readonly T[]): T {
    switch (this.#strategy) {
      case "fallback":
        return free[0];
      case "random":
        return free[Math.floor(this.#random() * free.length)];
      case "weighted":
        return this.#byWeight(free);
      case "least_busy":
        return this.#least(free, ({ gate }) => gate.inFlight / gate.concurrency);
      case "latency":
        return this.#least(free, ({ gate }) => gate.latency ?? 0);
      case "round_robin":
        return this.#inTurn(free);
    }
  }

  #inTurn(free: readonly T[]): T {
    const place = (target: T) =>
      (this.#targets.indexOf(target) - this.#next + this.#targets.length) % this.#targets.length;
    const chosen = free.reduce((best, target) => place(target) < place(best) ? target : best);
    this.#next = (this.#targets.indexOf(chosen) + 1) % this.#targets.length;
    return chosen;
  }

  #byWeight(free: readonly T[]): T {
    const total = free.reduce((sum, { weight }) => sum + weight, 0);
    let left = this.#random() * total;
    for (const target of free) {
      left -= target.weight;
      if (left < 0) return target;
    }
    return free.at(-1)!;
  }

  /** The least by `measure`; among equals in turn, so that the first does not get them all. */
  #least(free: readonly T[], measure: (target: T) => number): T {
    const least = Math.min(...free.map(measure));
    return this.#inTurn(free.filter((target) => measure(target) === least));
  }
}
