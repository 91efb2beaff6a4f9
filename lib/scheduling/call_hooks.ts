/**
 * Defines the hooks with which a batch controls and observes its calls.
 *
 * @module
 */
import type { Context } from "@opentelemetry/api";
import type { CallFacts } from "../chat/call_facts.ts";
import type { RetryNotice } from "../chat/retry_notice.ts";

/** Controls and observes one call, beyond its options. */
export interface CallHooks {
  /**
   * Ends only waiting: for a slot, for a limit, or between two attempts. The call then throws
   * {@link AbortedError}; an attempt that has been sent continues.
   */
  waitSignal?: AbortSignal;
  /** Called just before each attempt. If it throws, nothing is sent, and the call ends with that error. */
  onAttempt?: () => void;
  /** Called when an attempt failed and the call waits for the next one. */
  onRetryWait?: (notice: RetryNotice) => void;
  /** Called when that wait is over. */
  onRetryResume?: () => void;
  /** The index of the record that the call is for, in a batch. */
  index?: number;
  /** Called once for each call, just before it settles: after its answer, its error, or a cache hit. */
  onEnd?: (facts: CallFacts) => void;
  /**
   * Whether to wait up to `maxWait` for an endpoint that has answered before and is down now, without
   * using up retries. A batch waits; a single call fails sooner.
   */
  waitForRecovery?: boolean;
  /** How many records are left, if known: near the end, slow endpoints get no new work. */
  remaining?: () => number;
  /** What the spans of the call are a part of. @default the active context */
  trace?: Context;
}
