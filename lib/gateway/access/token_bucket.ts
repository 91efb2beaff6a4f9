/**
 * Limits a rate with a token bucket: it holds one minute's worth and refills continuously.
 *
 * @module
 */
import type { LimitState } from "../access.ts";

/** Below this, a difference is a rounding error of the refill. */
const TOLERANCE = 1e-6;

/** A bucket of requests or of LLM tokens. Times are in milliseconds. */
export class TokenBucket {
  #perMinute: number;
  #level: number;
  #updatedAt: number;

  /** Creates a full bucket. */
  constructor(perMinute: number, now: number) {
    this.#perMinute = perMinute;
    this.#level = perMinute;
    this.#updatedAt = now;
  }

  /** The rate per minute, and the capacity. */
  get perMinute(): number {
    return this.#perMinute;
  }

  /** Changes the rate. What was used stays used. */
  resize(perMinute: number, now: number): void {
    this.#refill(now);
    this.#level += perMinute - this.#perMinute;
    this.#perMinute = perMinute;
  }

  /**
   * Milliseconds until `amount` can be taken; 0 if it can be taken now. More than the capacity can be taken
   * from a full bucket: the debt delays those that follow, so that the rate holds on average.
   */
  delay(amount: number, now: number): number {
    this.#refill(now);
    const missing = Math.min(amount, this.#perMinute) - this.#level;
    if (missing <= TOLERANCE) return 0;
    return this.#perMinute === 0 ? Infinity : missing / this.#perMinute * 60_000;
  }

  /** Takes an amount, even beyond what is left; puts a negative one back. */
  take(amount: number, now: number): void {
    this.#refill(now);
    this.#level = Math.min(this.#level - amount, this.#perMinute);
  }

  /** The state for headers. */
  state(now: number): LimitState {
    this.#refill(now);
    const missing = this.#perMinute - this.#level;
    return {
      limit: this.#perMinute,
      remaining: Math.max(0, Math.floor(this.#level + TOLERANCE)),
      reset: missing <= TOLERANCE ? 0 : missing / this.#perMinute * 60,
    };
  }

  #refill(now: number): void {
    if (now <= this.#updatedAt) return;
    const refilled = this.#level + (now - this.#updatedAt) / 60_000 * this.#perMinute;
    this.#level = Math.min(refilled, this.#perMinute);
    this.#updatedAt = now;
  }
}
