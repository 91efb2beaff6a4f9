/**
 * Defines the interface of the limits on requests, tokens and money, which are reserved in one step.
 *
 * {@link LocalLimits} enforces them in this process. An implementation that shares them between processes
 * reserves from blocks of rate and money that it fetches ahead, and wakes waiting requests when a block
 * arrives; so nothing here returns a promise.
 *
 * @module
 */
import type { Sent } from "./adaptive_rate.ts";
import type { BudgetWaiter, Reservation } from "./budget.ts";
import type { EndpointLimits } from "./endpoint_limits.ts";
import type { TokenDemand } from "./token_limiter.ts";

/** The tokens and the money that one request needs. */
export interface Demand extends BudgetWaiter {
  /** Its estimated tokens. */
  readonly tokens: TokenDemand;
}

/** A slot at an endpoint, with the tokens and the money reserved for one request. */
export interface RequestReservation extends Reservation, Sent {}

/** The limits of a client. Times are in milliseconds. */
export interface Limits {
  /**
   * The earliest time at which `endpoint` can take a request; in the past if it can now, and `Infinity` if
   * that depends on other requests. Money is not considered.
   *
   * @param evenIfDown whether to use an endpoint that is down
   */
  availableAt(endpoint: EndpointLimits, now: number, demand: Demand, evenIfDown: boolean): number;
  /**
   * Reserves everything that a request needs at an available endpoint. Returns `undefined` while money is
   * short; `demand` is then woken when its turn comes.
   *
   * @throws {FlexLLMError} if the request can never fit
   */
  reserve(
    endpoint: EndpointLimits,
    now: number,
    demand: Demand,
  ): RequestReservation | undefined;
  /** Stops waiting for money. */
  cancel(demand: Demand): void;
}
