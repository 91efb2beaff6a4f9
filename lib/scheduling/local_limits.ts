/**
 * Enforces the limits of a client within this process.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";
import type { Budget, Charge, Reservation } from "./budget.ts";
import type { EndpointLimits } from "./endpoint_limits.ts";
import type { Demand, Limits, RequestReservation } from "./limits.ts";
import type { TokenHold } from "./token_limiter.ts";

class LocalReservation implements RequestReservation {
  readonly #endpoint: EndpointLimits;
  readonly #clock: Clock;
  readonly #money: Reservation | undefined;
  /** `undefined` if nothing limits tokens, and once they are committed or released. */
  #tokens: readonly TokenHold[] | undefined;
  #isReleased = false;
  readonly order: number;

  constructor(
    endpoint: EndpointLimits,
    clock: Clock,
    readonly at: number,
    demand: Demand,
    money: Reservation | undefined,
  ) {
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#money = money;
    this.order = endpoint.begin(at);
    this.#tokens = endpoint.reserveTokens(at, demand.tokens);
  }

  get cost(): number {
    return this.#money?.cost ?? 0;
  }

  commit(charge: Charge): void {
    if (this.#tokens !== undefined) {
      this.#endpoint.commitTokens(this.#clock.now(), this.#tokens, charge.usage);
      this.#tokens = undefined;
    }
    this.#money?.commit(charge);
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (this.#tokens !== undefined) {
      this.#endpoint.releaseTokens(this.#clock.now(), this.#tokens);
      this.#tokens = undefined;
    }
    this.#endpoint.end();
    this.#money?.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** The limits of each endpoint and, if there is one, a budget. */
export class LocalLimits implements Limits {
  readonly #clock: Clock;
  readonly #budget: Budget | undefined;

  constructor(clock: Clock, budget: Budget | undefined) {
    this.#clock = clock;
    this.#budget = budget;
  }

  availableAt(endpoint: EndpointLimits, now: number, demand: Demand, evenIfDown: boolean): number {
    return endpoint.availableAt(now, demand.tokens, evenIfDown);
  }

  reserve(
    endpoint: EndpointLimits,
    now: number,
    demand: Demand,
  ): RequestReservation | undefined {
    if (this.#budget === undefined) {
      return new LocalReservation(endpoint, this.#clock, now, demand, undefined);
    }
    const money = this.#budget.tryReserve(demand);
    if (money === undefined) return undefined;
    return new LocalReservation(endpoint, this.#clock, now, demand, money);
  }

  cancel(demand: Demand): void {
    this.#budget?.cancel(demand);
  }
}
