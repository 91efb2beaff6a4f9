/**
 * Says why nothing happens while requests wait for another try.
 *
 * @module
 */
import type { EndpointStats } from "../lib/client/endpoint_stats.ts";
import { HttpError, RateLimitError } from "../lib/errors.ts";
import type { RetryNotice } from "../lib/scheduling/scheduler.ts";
import { oneLineMessage } from "./errors/groups.ts";
import { colored } from "./terminal/output.ts";

/** Seconds of waiting that a person does not need to be told of. */
const SHORT = 3;
/** Milliseconds without a finished record after which everything seems to wait. */
const STILL = 1000;

function reasonOf(error: unknown): string {
  return error instanceof RateLimitError ? "the server asks to slow down" : oneLineMessage(error);
}

/** Seconds between two lines about a request that is tried again and again. */
const AGAIN = 10;

/** Tells through `note` that one request waits: long at once, or several times for short. */
export function noteLongWaits(note: (line: string) => void): (notice: RetryNotice) => void {
  let begun: number | undefined;
  let toldUntil = -Infinity;
  return ({ error, wait, failures }) => {
    const now = performance.now();
    begun ??= now;
    if ((now - begun) / 1000 + wait < SHORT || now < toldUntil) return;
    toldUntil = now + Math.max(wait, AGAIN) * 1000;
    const tries = failures > 1 ? `, after ${failures} tries` : "";
    note(colored("yellow", `Waiting ${Math.ceil(wait)} s${tries}: ${reasonOf(error)}`));
  };
}

/** A wait that holds up the whole batch. */
export interface LongWait {
  /** Seconds until the next attempt; `undefined` while one is being made. */
  seconds: number | undefined;
  /** Why it waits. */
  reason: string;
}

/** The cause of an error in a few words, without the URL, which is the same for all. */
function causeOf(error: unknown): string {
  return reasonOf(error).replace(/ \(https?:\/\/[^ )]*\)$/, "");
}

/** Why an endpoint accepts no requests. */
function blockedBy({ state, lastError }: EndpointStats): string {
  // A pause may also come from the headers of an answer, long after some other failure.
  const isCause = state !== "cooling" || lastError instanceof HttpError;
  return isCause && lastError !== null ? causeOf(lastError) : "the server's rate limit";
}

/** Derives what a whole batch waits for from its endpoints and the retries of single records. */
export class StallMonitor {
  /** When the next record is retried, as far as is known. */
  #until = -Infinity;
  #error: unknown;
  #finished = 0;
  #finishedAt: number;
  /** How many requests had failed when a record was last finished. */
  #failedBefore = 0;

  /** Begins at `now`, in milliseconds. */
  constructor(now: number) {
    this.#finishedAt = now;
  }

  /** Notes at `now`, in milliseconds, that a record waits. */
  notice({ error, wait }: RetryNotice, now: number): void {
    const until = now + wait * 1000;
    if (now < this.#until && until >= this.#until) return;
    this.#until = until;
    this.#error = error;
  }

  /**
   * What the batch waits for at `now`, with `finished` records done; `undefined` while it makes progress.
   */
  current(
    finished: number,
    endpoints: readonly EndpointStats[],
    now: number,
  ): LongWait | undefined {
    const failed = endpoints.reduce((sum, { failures }) => sum + failures, 0);
    if (finished !== this.#finished) {
      this.#finished = finished;
      this.#finishedAt = now;
      this.#failedBefore = failed;
    }
    if (now - this.#finishedAt < STILL) return undefined;
    const soonest = endpoints.toSorted((a, b) => (a.retryIn ?? 0) - (b.retryIn ?? 0)).at(0);
    if (soonest !== undefined && endpoints.every(({ state }) => state !== "up")) {
      return { seconds: soonest.retryIn ?? undefined, reason: blockedBy(soonest) };
    }
    const inFlight = endpoints.reduce((sum, endpoint) => sum + endpoint.inFlight, 0);
    if (inFlight === 0 && now < this.#until) {
      return { seconds: (this.#until - now) / 1000, reason: causeOf(this.#error) };
    }
    // Endpoints accept requests, but every one fails.
    if (failed - this.#failedBefore > inFlight && this.#error !== undefined) {
      return { seconds: undefined, reason: causeOf(this.#error) };
    }
    return undefined;
  }
}
