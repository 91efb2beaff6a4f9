/**
 * Defines what limits the rate and the number of calls of a scope: one gateway alone, or several together.
 *
 * @module
 */
import type { LimitState } from "../access.ts";
import { TokenBucket } from "./token_bucket.ts";

/** A bucket of requests or of LLM tokens. Times are in milliseconds. */
export interface RateBucket {
  /** The rate per minute, and the capacity. */
  readonly perMinute: number;
  /** Changes the rate. What was used stays used. */
  resize(perMinute: number, now: number): void;
  /** Milliseconds until `amount` can be taken; 0 if it can be taken now. */
  delay(amount: number, now: number): number;
  /** Takes an amount, even beyond what is left; puts a negative one back. */
  take(amount: number, now: number): void;
  /** The state for headers. */
  state(now: number): LimitState;
}

/** Slots for calls in flight. */
export interface CallSlots {
  /** Whether another call may start. */
  isFree(limit: number): boolean;
  /** Counts the calls in flight of this gateway. */
  readonly inFlight: number;
  /** Starts a call. */
  take(): void;
  /** Ends a call. */
  release(): void;
}

/** Creates the limits of scopes. */
export interface RateSource {
  /** Creates the bucket of a scope for requests or tokens. */
  bucket(scope: string, kind: "rpm" | "tpm", perMinute: number, now: number): RateBucket;
  /** Creates the slots of a scope. */
  slots(scope: string): CallSlots;
}

/** The slots of one gateway alone. */
export class LocalSlots implements CallSlots {
  inFlight = 0;

  isFree(limit: number): boolean {
    return this.inFlight < limit;
  }

  take(): void {
    this.inFlight++;
  }

  release(): void {
    this.inFlight--;
  }
}

/** The limits of one gateway alone. */
export const LOCAL_RATES: RateSource = {
  bucket: (_scope, _kind, perMinute, now) => new TokenBucket(perMinute, now),
  slots: () => new LocalSlots(),
};
