/**
 * Slots for calls in flight that several gateways share.
 *
 * @module
 */
import type { CallSlots } from "../rate_bucket.ts";
import type { RateOrder } from "./rate_script.ts";
import { type RateFleet, type SharedLimit, TRUST } from "./shared_limit.ts";

/** Below this part of a limit, slots are not held ahead. */
const SCARCE_PART = 1 / 4;

/** Slots for calls in flight. */
export class SharedSlots implements CallSlots, SharedLimit {
  readonly #fleet: RateFleet;
  readonly #scope: string;
  #limit = Infinity;
  #inFlight = 0;
  #held = 0;
  #left = Infinity;
  #loadedAt = -Infinity;
  #wanted = 0;
  #most = 0;

  constructor(fleet: RateFleet, scope: string) {
    this.#fleet = fleet;
    this.#scope = scope;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get isIdle(): boolean {
    return this.#limit === Infinity || (this.#held === 0 && this.#inFlight === 0);
  }

  isFree(limit: number): boolean {
    this.#limit = limit;
    if (this.#fleet.isShared) return this.#inFlight < Math.min(this.#held, limit);
    return this.#inFlight < Math.max(1, Math.floor(limit * this.#fleet.share));
  }

  /** Asks for another slot; returns whether an exchange may bring it. */
  want(limit: number, now: number): boolean {
    if (this.isFree(limit)) return false;
    if (now - this.#loadedAt < TRUST && this.#left <= 0) return false;
    this.#wanted++;
    return true;
  }

  take(): void {
    this.#inFlight++;
    this.#most = Math.max(this.#most, this.#inFlight);
    if (this.#limit < Infinity) this.#fleet.touch(this, false);
  }

  release(): void {
    this.#inFlight--;
    // Others may wait for it.
    if (this.#limit < Infinity) this.#fleet.touch(this, this.#isScarce);
  }

  order(_now: number, isRegular: boolean): RateOrder | undefined {
    if (this.#limit === Infinity) return undefined;
    // While little is left, only what is in use; otherwise as many as were in use since the last exchange.
    const target = this.#isScarce ? this.#inFlight : Math.max(this.#most, this.#inFlight);
    if (isRegular) this.#most = this.#inFlight;
    const wanted = this.#wanted;
    this.#wanted = 0;
    // What is returned must not be used before the reply: another gateway may have it by then.
    if (wanted === 0) this.#held = Math.min(this.#held, target);
    return {
      scope: this.#scope,
      kind: "slots",
      limit: this.#limit,
      used: this.#inFlight,
      target: wanted === 0 ? target : Math.max(this.#held, this.#inFlight) + wanted,
      need: 0,
      level: 0,
    };
  }

  get #isScarce(): boolean {
    return this.#left < this.#limit * SCARCE_PART;
  }

  load(_order: RateOrder, held: number, left: number, now: number): void {
    this.#held = held;
    this.#left = left;
    this.#loadedAt = now;
  }
}
