/**
 * Defines what limits need that several gateways share: each gateway holds a part of them, taken ahead.
 *
 * @module
 */
import type { RateOrder } from "./rate_script.ts";

/** Milliseconds for which a reply that nothing is left is trusted. */
export const TRUST = 50;

/** What a limit needs to know about the other gateways. */
export interface RateFleet {
  /** Whether quota is shared now. */
  readonly isShared: boolean;
  /** Milliseconds for which nothing has been shared. */
  readonly downFor: number;
  /** The number of gateways that share it, as last seen. */
  readonly size: number;
  /** The part of a limit that this gateway may use alone while nothing is shared. */
  readonly share: number;
  /** The limit has changed: exchanges its quota at the next opportunity, or immediately. */
  touch(limit: SharedLimit, isUrgent: boolean): void;
}

/** A limit whose quota is exchanged. */
export interface SharedLimit {
  /** What to exchange; `undefined` if nothing has changed and nothing is needed. */
  order(now: number, isRegular: boolean): RateOrder | undefined;
  /** Takes over what the gateway holds, and what is left. */
  load(order: RateOrder, held: number, left: number, now: number): void;
  /** Whether it has nothing to exchange from now on. */
  readonly isIdle: boolean;
}
