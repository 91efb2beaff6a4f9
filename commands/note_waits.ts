/**
 * Says why nothing happens while requests wait for another try.
 *
 * @module
 */
import { RateLimitError } from "../lib/errors.ts";
import type { RetryNotice } from "../lib/scheduling/scheduler.ts";
import { oneLineMessage } from "./error_kinds.ts";
import { colored } from "./terminal.ts";

/** Seconds of waiting that a person does not need to be told of. */
const SHORT = 3;
/** Milliseconds without a finished record after which everything seems to wait. */
const STILL = 1000;
/** Milliseconds by which waits for the same moment differ, so that not all come back at once. */
const SPREAD = 1000;

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

/** A wait that holds everything up. */
export interface LongWait {
  /** Seconds that it will still take. */
  seconds: number;
  /** What is waited for. */
  reason: string;
}

/** Knows from the waits of single records what a whole batch waits for. */
export class WaitWatch {
  #until = -Infinity;
  #error: unknown;
  #finished = 0;
  #finishedAt: number;

  /** Begins at `now`, in milliseconds. */
  constructor(now: number) {
    this.#finishedAt = now;
  }

  /** Notes at `now`, in milliseconds, that a record waits. */
  notice({ error, wait }: RetryNotice, now: number): void {
    if (wait < SHORT) return;
    const until = now + wait * 1000;
    // A rate limit holds for all, so the longest wait counts; of other waits the one that is told.
    const longer = error instanceof RateLimitError && until > this.#until + SPREAD;
    if (now < this.#until && !longer) return;
    this.#until = until;
    this.#error = error;
  }

  /** What is waited for at `now` while `finished` records are finished; nothing while they go on. */
  current(finished: number, now: number): LongWait | undefined {
    if (finished !== this.#finished) {
      this.#finished = finished;
      this.#finishedAt = now;
    }
    if (now >= this.#until || now - this.#finishedAt < STILL) return undefined;
    return { seconds: (this.#until - now) / 1000, reason: reasonOf(this.#error) };
  }
}
