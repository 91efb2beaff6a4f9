/**
 * Reports why requests are waiting: a long wait of one request, or a stall of a whole batch.
 *
 * @module
 */
import type { EndpointStats } from "../lib/client/endpoint_stats.ts";
import { HttpError, RateLimitError } from "../lib/errors.ts";
import type { RetryNotice } from "../lib/chat/retry_notice.ts";
import { oneLineMessage } from "./errors/groups.ts";
import { colored } from "./terminal/output.ts";

/** Seconds of waiting that are not worth reporting. */
const SHORT_WAIT = 3;
/** Milliseconds without a finished record after which a batch counts as stalled. */
const STALL_AFTER = 1000;

function reasonOf(error: unknown): string {
  return error instanceof RateLimitError ? "rate limited by the server" : oneLineMessage(error);
}

/** Minimum seconds between two reports about the same request. */
const REPORT_INTERVAL = 10;

/** Returns a retry listener that reports long waits of one request, including many short ones, to `note`. */
export function reportLongWaits(note: (line: string) => void): (notice: RetryNotice) => void {
  let startedAt: number | undefined;
  let silentUntil = -Infinity;
  return ({ error, wait, failures }) => {
    const now = performance.now();
    startedAt ??= now;
    if ((now - startedAt) / 1000 + wait < SHORT_WAIT || now < silentUntil) return;
    silentUntil = now + Math.max(wait, REPORT_INTERVAL) * 1000;
    const attempts = failures > 1 ? ` after ${failures} attempts` : "";
    note(colored("yellow", `Waiting ${Math.ceil(wait)} s${attempts}: ${reasonOf(error)}`));
  };
}

/** A wait that stalls a whole batch. */
export interface LongWait {
  /** Seconds until the next attempt; `undefined` while one is being made. */
  seconds: number | undefined;
  /** Why it waits. */
  reason: string;
}

/** The message of an error, without the URL, which is the same for all. */
function causeOf(error: unknown): string {
  return reasonOf(error).replace(/ \(https?:\/\/[^ )]*\)$/, "");
}

/** Why an endpoint is not accepting requests. */
function blockedBy({ state, lastError }: EndpointStats): string {
  // A cooldown can also come from response headers; the last error may then be unrelated.
  const isCause = state !== "cooling" || lastError instanceof HttpError;
  return isCause && lastError !== null ? causeOf(lastError) : "the server's rate limit";
}

/** Detects what a stalled batch is waiting for, from endpoint states and record retries. */
export class StallMonitor {
  /** The earliest known time of a retry. */
  #until = -Infinity;
  #error: unknown;
  #finished = 0;
  #finishedAt: number;
  /** The number of failed requests when a record last finished. */
  #failedBefore = 0;

  /** Starts monitoring at `now`, in milliseconds. */
  constructor(now: number) {
    this.#finishedAt = now;
  }

  /** Records that a record waits for a retry from `now`, in milliseconds. */
  notice({ error, wait }: RetryNotice, now: number): void {
    const until = now + wait * 1000;
    if (now < this.#until && until >= this.#until) return;
    this.#until = until;
    this.#error = error;
  }

  /**
   * Returns what the batch is waiting for at `now`, or `undefined` if it is making progress.
   *
   * @param finished the number of finished records
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
    if (now - this.#finishedAt < STALL_AFTER) return undefined;
    const soonest = endpoints.toSorted((a, b) => (a.retryIn ?? 0) - (b.retryIn ?? 0)).at(0);
    if (soonest !== undefined && endpoints.every(({ state }) => state !== "up")) {
      return { seconds: soonest.retryIn ?? undefined, reason: blockedBy(soonest) };
    }
    const inFlight = endpoints.reduce((sum, endpoint) => sum + endpoint.inFlight, 0);
    if (inFlight === 0 && now < this.#until) {
      return { seconds: (this.#until - now) / 1000, reason: causeOf(this.#error) };
    }
    // Endpoints accept requests, but all of them fail.
    if (failed - this.#failedBefore > inFlight && this.#error !== undefined) {
      return { seconds: undefined, reason: causeOf(this.#error) };
    }
    return undefined;
  }
}
