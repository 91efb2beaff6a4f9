/**
 * Chooses the endpoint of a request among those that are available.
 *
 * @module
 */
import type { EndpointLimits } from "./endpoint_limits.ts";

/** How requests are distributed among the endpoints that can take one now. */
export type LoadBalance =
  /** Each endpoint in turn. */
  | "round_robin"
  /** At random, in proportion to the endpoints' weights. */
  | "weighted"
  /** At random. */
  | "random"
  /** The first endpoint that is up; the others are backups. */
  | "fallback"
  /** The endpoint with the smallest share of its concurrency in use. */
  | "least_busy"
  /** The endpoint with the lowest recent latency; endpoints without an answer yet come first. */
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

/** An endpoint, as the scheduler sees it. */
export interface Target {
  readonly limits: EndpointLimits;
  /** Its share of the requests under `weighted`, relative to the other endpoints. */
  readonly weight: number;
}

/** Chooses among endpoints by one strategy. */
export class LoadBalancer<T extends Target> {
  readonly #strategy: LoadBalance;
  readonly #targets: readonly T[];
  readonly #random: () => number;
  /** The index after that of the last chosen endpoint. */
  #next = 0;

  constructor(strategy: LoadBalance, targets: readonly T[], random: () => number) {
    this.#strategy = strategy;
    this.#targets = targets;
    this.#random = random;
  }

  /** Whether the first endpoint that is up must be used, even if it is full. */
  get isOrdered(): boolean {
    return this.#strategy === "fallback";
  }

  /** Chooses one of `free`: at least one endpoint, in the configured order. */
  choose(free: readonly T[]): T {
    switch (this.#strategy) {
      case "fallback":
        return free[0];
      case "random":
        return free[Math.floor(this.#random() * free.length)];
      case "weighted":
        return this.#byWeight(free);
      case "least_busy":
        return this.#least(free, ({ limits }) => limits.inFlight / limits.concurrency);
      case "latency":
        return this.#least(free, ({ limits }) => limits.latency ?? 0);
      case "round_robin":
        return this.#inTurn(free);
    }
  }

  #inTurn(free: readonly T[]): T {
    const distance = (target: T) =>
      (this.#targets.indexOf(target) - this.#next + this.#targets.length) % this.#targets.length;
    const chosen = free.reduce((best, target) => distance(target) < distance(best) ? target : best);
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

  /** The endpoint with the smallest `measure`. Equal ones take turns, so that all get requests. */
  #least(free: readonly T[], measure: (target: T) => number): T {
    const least = Math.min(...free.map(measure));
    return this.#inTurn(free.filter((target) => measure(target) === least));
  }
}
