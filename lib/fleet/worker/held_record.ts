/**
 * Represents a record that a worker has, and the call that is made for it.
 *
 * @module
 */
import type { CallFacts } from "../../chat/call_facts.ts";
import type { RetryNotice } from "../../chat/retry_notice.ts";
import { AbortedError } from "../../errors.ts";
import type { CallHooks } from "../../scheduling/call_hooks.ts";
import type { WorkEntry } from "../record_codec.ts";

/** What the records of one worker share. */
export interface HeldRecords {
  /** Ends waiting, for slots and between attempts, but not requests in flight. */
  readonly waitSignal: AbortSignal;
  /** Whether the worker has had an answer: before that, others would most likely fail as well. */
  readonly anyAnswer: boolean;
  /** Whether another worker may have claimed a record before a request for it arrives. */
  mayHaveLost(record: HeldRecord): boolean;
  onRetry(notice: RetryNotice): void;
  onParked(change: 1 | -1): void;
}

/** The claim on a record is lost, or may be: nothing more is sent for it. */
export class ClaimLostError extends AbortedError {
  /** Creates the error. */
  constructor() {
    super("another worker may have taken over the record");
  }
}

/** A record in the hands of a worker. */
export class HeldRecord implements CallHooks {
  readonly waitForRecovery = true;
  readonly waitSignal: AbortSignal;
  readonly claimedAt: Timestamp = timestamp();
  facts: CallFacts | undefined;
  /** Whether another worker has claimed it. */
  isLost = false;
  readonly #records: HeldRecords;
  #isParked = false;

  constructor(readonly entry: WorkEntry, records: HeldRecords) {
    this.#records = records;
    this.waitSignal = records.waitSignal;
  }

  onAttempt(): void {
    if (this.isLost || this.#records.mayHaveLost(this)) throw new ClaimLostError();
  }

  onRetryWait(notice: RetryNotice): void {
    this.#records.onRetry(notice);
    if (!this.#records.anyAnswer || this.#isParked) return;
    this.#isParked = true;
    this.#records.onParked(1);
  }

  onRetryResume(): void {
    if (!this.#isParked) return;
    this.#isParked = false;
    this.#records.onParked(-1);
  }

  onEnd(facts: CallFacts): void {
    this.facts = facts;
  }
}

/** A moment on both clocks of this machine: only one of them runs on while the machine sleeps. */
export interface Timestamp {
  monotonic: number;
  wall: number;
}

/** The current moment. */
export function timestamp(): Timestamp {
  return { monotonic: performance.now(), wall: Date.now() };
}

/** Milliseconds since a moment, by the clock for which more time has passed. */
export function millisecondsSince({ monotonic, wall }: Timestamp): number {
  return Math.max(performance.now() - monotonic, Date.now() - wall);
}
