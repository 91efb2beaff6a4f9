/**
 * Counts the requests of the last hour, minute by minute.
 *
 * @module
 */
import type { GatewayFacts } from "../gateway_facts.ts";

/** The requests that ended within one minute. */
export interface TrafficMinute {
  /** The start of the minute, in milliseconds since 1970. */
  at: number;
  /** Requests, including those with an error. */
  requests: number;
  /** Requests that ended with an error. */
  errors: number;
  /** Input and output tokens of answers that endpoints generated. */
  tokens: number;
  /** Known costs in USD. */
  cost: number;
}

/** Minutes that are stored. */
const MINUTES = 60;
/** Milliseconds per minute. */
const MINUTE = 60_000;

function emptyMinute(minute: number): TrafficMinute {
  return { at: minute * MINUTE, requests: 0, errors: 0, tokens: 0, cost: 0 };
}

/** The requests of the last hour. */
export class Traffic {
  /** By minute, in a ring. */
  readonly #minutes: TrafficMinute[] = Array.from({ length: MINUTES }, () => emptyMinute(-MINUTES));

  /** Adds a request that ended at `now`, in milliseconds since 1970. */
  add(facts: GatewayFacts, now: number): void {
    const number = Math.floor(now / MINUTE);
    const slot = number % MINUTES;
    let minute = this.#minutes[slot];
    if (minute.at !== number * MINUTE) minute = this.#minutes[slot] = emptyMinute(number);
    minute.requests++;
    if (facts.outcome === "error") minute.errors++;
    if (facts.cache !== "hit" && facts.usage !== null) minute.tokens += facts.usage.totalTokens;
    minute.cost += facts.cost ?? 0;
  }

  /** The minutes up to the one of `now`, oldest first. Minutes without requests are included. */
  read(now: number): TrafficMinute[] {
    const last = Math.floor(now / MINUTE);
    return Array.from({ length: MINUTES }, (_, i) => {
      const number = last - MINUTES + 1 + i;
      const minute = this.#minutes[((number % MINUTES) + MINUTES) % MINUTES];
      return minute.at === number * MINUTE ? { ...minute } : emptyMinute(number);
    });
  }
}
