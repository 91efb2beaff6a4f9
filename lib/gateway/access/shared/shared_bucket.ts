/**
 * A bucket of requests or tokens that several gateways share.
 *
 * @module
 */
import type { LimitState } from "../../access.ts";
import type { RateBucket } from "../rate_bucket.ts";
import { TokenBucket } from "../token_bucket.ts";
import type { RateOrder } from "./rate_script.ts";
import { type RateFleet, type SharedLimit, TRUST } from "./shared_limit.ts";

/** Below this, a difference is a rounding error. */
const TOLERANCE = 1e-6;
/** The part of a minute's worth that all gateways together hold ahead. */
const HELD_PART = 1 / 10;

/** A bucket of requests or tokens. */
export class SharedBucket implements RateBucket, SharedLimit {
  readonly #fleet: RateFleet;
  readonly #scope: string;
  readonly #kind: "rpm" | "tpm";
  #perMinute: number;
  #held = 0;
  #used = 0;
  /** What was left in the bucket at the last exchange. */
  #left: number;
  #loadedAt: number;
  #target = 0;
  #usedBefore = 0;
  #wanted: number[] = [];
  /** The bucket while nothing is shared. */
  #alone: TokenBucket | undefined;

  constructor(
    fleet: RateFleet,
    scope: string,
    kind: "rpm" | "tpm",
    perMinute: number,
    now: number,
  ) {
    this.#fleet = fleet;
    this.#scope = scope;
    this.#kind = kind;
    this.#perMinute = perMinute;
    this.#left = perMinute;
    this.#loadedAt = now - TRUST;
  }

  get perMinute(): number {
    return this.#perMinute;
  }

  get isIdle(): boolean {
    return this.#held === 0 && this.#used === this.#usedBefore && this.#wanted.length === 0;
  }

  resize(perMinute: number, _now: number): void {
    this.#left += perMinute - this.#perMinute;
    this.#perMinute = perMinute;
    this.#alone = undefined;
    this.#fleet.touch(this, false);
  }

  delay(amount: number, now: number): number {
    if (!this.#fleet.isShared) return this.#aloneBucket(now).delay(amount, now);
    this.#alone = undefined;
    const required = Math.min(amount, this.#perMinute) - TOLERANCE;
    if (this.#held >= required) return 0;
    const missing = required - this.#held - this.#leftNow(now);
    // It can be fetched.
    if (missing <= 0) return 1;
    return this.#perMinute === 0 ? Infinity : missing / this.#perMinute * 60_000;
  }

  /** Asks for an amount; returns whether an exchange may bring it. */
  want(amount: number, now: number): boolean {
    const required = Math.min(amount, this.#perMinute) - TOLERANCE;
    if (this.#held >= required) return false;
    const isOld = now - this.#loadedAt >= TRUST;
    if (!isOld && required > this.#held + this.#leftNow(now)) return false;
    this.#wanted.push(Math.min(amount, this.#perMinute));
    return true;
  }

  take(amount: number, now: number): void {
    if (!this.#fleet.isShared) this.#aloneBucket(now).take(amount, now);
    this.#held -= amount;
    this.#used += amount;
    this.#fleet.touch(this, this.#target > 1 && this.#held < this.#target / 2);
  }

  state(now: number): LimitState {
    if (!this.#fleet.isShared) return this.#aloneBucket(now).state(now);
    const level = Math.min(this.#perMinute, this.#held + this.#leftNow(now));
    const missing = this.#perMinute - level;
    return {
      limit: this.#perMinute,
      remaining: Math.max(0, Math.floor(level + TOLERANCE)),
      reset: missing <= TOLERANCE ? 0 : missing / this.#perMinute * 60,
    };
  }

  order(now: number, isRegular: boolean): RateOrder {
    const most = Math.floor(this.#perMinute * HELD_PART / this.#fleet.size);
    const wanted = this.#wanted.reduce((sum, amount) => sum + amount, 0);
    if (isRegular) {
      // What this gateway needs until the next two exchanges; nothing if it has needed nothing since the last one.
      this.#target = Math.min(most, Math.max(0, Math.ceil(2 * (this.#used - this.#usedBefore))));
      this.#usedBefore = this.#used;
    } else if (wanted > 0) {
      // More calls than before: holds more ahead, so that soon none has to wait.
      this.#target = Math.min(most, 2 * this.#target + wanted);
    }
    const need = Math.min(...this.#wanted, this.#perMinute);
    this.#wanted = [];
    const target = Math.min(
      this.#perMinute,
      Math.max(this.#target, wanted === 0 ? 0 : Math.max(0, this.#held) + wanted),
    );
    // What is returned must not be used before the reply: another gateway may have it by then.
    this.#held = Math.min(this.#held, target);
    return {
      scope: this.#scope,
      kind: this.#kind,
      limit: this.#perMinute,
      used: this.#used,
      target,
      need: wanted === 0 ? 0 : need,
      level: this.#leftNow(now),
    };
  }

  load({ used }: RateOrder, held: number, left: number, now: number): void {
    this.#held = held - (this.#used - used);
    this.#left = left;
    this.#loadedAt = now;
    this.#alone = undefined;
  }

  #leftNow(now: number): number {
    const refilled = this.#left + (now - this.#loadedAt) / 60_000 * this.#perMinute;
    return Math.min(refilled, this.#perMinute - Math.max(0, this.#held));
  }

  /** Begins with what the gateway holds: the rest may have been used by the others. */
  #aloneBucket(now: number): TokenBucket {
    if (this.#alone !== undefined) return this.#alone;
    const perMinute = this.#perMinute * this.#fleet.share;
    const since = now - this.#fleet.downFor;
    this.#alone = new TokenBucket(perMinute, since);
    this.#alone.take(perMinute - Math.min(this.#held, perMinute), since);
    return this.#alone;
  }
}
